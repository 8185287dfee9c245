"""Exchange of models with transformers: folders that it reads, and folders that it wrote.

```
checkpoint -> arrays in google's form -> arrays under transformers' names -> folder
folder     -> arrays under transformers' names -> arrays under our names  -> checkpoint
```
"""
