"""Fine-tune on CLUE by the flags of the published run_classifier_clue.py, with its defaults.

It runs run_classifier.py, whose defaults are the same; evaluation and prediction batches are
larger, which no score depends on.
"""

import published

if __name__ == "__main__":
    published.run("run_classifier.py", defaults={})
