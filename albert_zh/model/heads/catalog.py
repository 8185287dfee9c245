"""Every model that consists of the encoder and a head.

A checkpoint of one of them may start the training of another one: the encoder's weights are loaded,
and those that the other head owns, by its `stored_names`, are left out.
"""

from albert_zh.model.heads.choice import ChoiceClassifier
from albert_zh.model.heads.pretraining import PretrainingModel
from albert_zh.model.heads.sequence import Classifier
from albert_zh.model.heads.tokens import TokenClassifier

MODELS = (PretrainingModel, Classifier, ChoiceClassifier, TokenClassifier)
