//! Open Inference Protocol server over ONNX Runtime.
