"""Fine-tune by the flags of the published run_classifier_sp_google.py, with its defaults.

It runs run_classifier.py with up to 512 tokens per example; evaluation and prediction batches are
larger, which no score depends on.
"""

import published

if __name__ == "__main__":
    published.run("run_classifier.py", defaults={"max_seq_length": "512"})
