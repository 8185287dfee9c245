"""The service as a process: it loads the models, listens, and ends when it is told to."""

import signal
import socket

from absl import logging

from albert_zh.serving.service_options import ServiceOptions
from albert_zh.util.optional_packages import load_extra


def serve(options: ServiceOptions) -> None:
    """Answer requests until SIGTERM or SIGINT; then those that have arrived, and no more.

    Raises:
        ValueError: A package or a model is missing or does not fit.
        FileNotFoundError: A model is not there.
        OSError: The port is taken.
    """
    for package in ("fastapi", "uvicorn", "prometheus_client"):
        load_extra(package, purpose="serving models")
    import uvicorn

    from albert_zh.serving.app import make_app
    from albert_zh.serving.protocol import protocol_of

    # Before the models, which take seconds to load.
    with _listening(options.host, options.port) as listener:
        app = make_app(options.load_models(), options)
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                http=protocol_of(options.timeout_seconds, options.max_connections),
                log_level="warning",
                access_log=False,
                timeout_keep_alive=max(1, round(options.timeout_seconds)),
                timeout_graceful_shutdown=max(1, round(options.timeout_seconds)),
                server_header=False,
            )
        )
        host, port = listener.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        # The server raises the signal once more when it has ended.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        logging.info("listening on http://%s:%d; Ctrl-C ends", shown, port)
        server.run(sockets=[listener])
    logging.info("ended")


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends small parts at once only on sockets that say that they are TCP; otherwise the
    # client's delayed acknowledgement holds each answer back for 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise OSError(f"--host={host} --port={port}: {error.strerror or error}") from None
    return listener
