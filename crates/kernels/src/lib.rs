//! Dense `f32` kernels of convolutional nets on the CPU, channels last.
