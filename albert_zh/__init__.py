"""albert_zh: train small Chinese encoders. `ARCHITECTURE.md` maps the package."""
