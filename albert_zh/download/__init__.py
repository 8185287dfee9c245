"""Published models and datasets: an archive of the internet -> a new folder with checked files.

```
prev_trained_model/albert_tiny_zh.unfinished/   archive.part, archive.json, while it is received
prev_trained_model/albert_tiny_zh/              all files, when they are checked
```
"""
