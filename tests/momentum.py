"""An update rule that is made up for tests: gradient descent with momentum, one slot."""


def update(grad, param, momentum, *, learning_rate, weight_decay):
    momentum = 0.9 * momentum + grad + weight_decay * param
    return param - learning_rate * momentum, momentum
