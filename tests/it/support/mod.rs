//! What the tests share.

pub(crate) mod app;
pub(crate) mod program;
pub(crate) mod wire;
