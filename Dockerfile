# albert_zh in a container:
#
#   docker build -t albert_zh .                          CPU
#   docker build -t albert_zh --build-arg EXTRA=cuda .   NVIDIA GPUs; run it with --gpus all
#   docker run --rm -it -v "$PWD":/work albert_zh albert-zh --help
FROM python:3.12-slim

ARG EXTRA=""
# The sources are there for the build alone; what it writes beside them is not kept.
RUN --mount=type=bind,target=/src,rw \
    pip install --no-cache-dir \
      "/src[${EXTRA:+$EXTRA,}rjieba,plots,metrics,safetensors,onnx,litert,serve]" \
    && useradd --uid 1000 --create-home albert \
    && mkdir /work \
    && chown albert /work

USER 1000
WORKDIR /work
EXPOSE 8000
CMD ["albert-zh", "--help"]
