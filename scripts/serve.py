r"""Serve models over HTTP, with a page to try them. Needs fastapi, uvicorn and prometheus-client.

  python scripts/serve.py --models=lcqmc=lcqmc_export,words=models/albert_tiny

  curl -H 'Content-Type: application/json' -d '{"inputs": ["今天天气很[MASK]。"]}' \
      http://127.0.0.1:8000/v1/models/words/fill_mask

The page is http://127.0.0.1:8000, the description of all requests /openapi.json, and numbers for
Prometheus are at /metrics. Clients must send a token if ALBERT_ZH_TOKEN is set in the environment.
SIGTERM and Ctrl-C answer what was asked, and end.
"""

from project import cli

from albert_zh.serving.service_options import ServiceOptions


def main(options: ServiceOptions) -> None:
    from albert_zh.serving.server import serve

    serve(options)


if __name__ == "__main__":
    cli.run(main, ServiceOptions)
