//! What the ABI, version 0.2.1, has numbers for, as far as Portero speaks of it. A test compares them
//! with the SDK's.

/// What becomes of the headers, or of the part of a body, that a callback is about.
#[derive(Clone, Copy)]
#[repr(u32)]
pub enum Action {
    Continue = 0,
    Pause = 1,
}

/// Which headers a call is about.
#[derive(Clone, Copy)]
pub enum Map {
    Request = 0,
    Response = 2,
    CallResponse = 6,
}

/// Which bytes a call is about.
#[derive(Clone, Copy)]
pub enum Buffer {
    RequestBody = 0,
    CallResponseBody = 4,
    PluginConfiguration = 7,
}

/// The kind of a metric.
#[derive(Clone, Copy)]
pub enum MetricKind {
    Counter = 0,
    Histogram = 2,
}

/// How much a line of log matters.
#[derive(Clone, Copy)]
pub enum LogLevel {
    Info = 2,
    Warn = 3,
    Error = 4,
}
