//! What the tests share.

pub(crate) mod app;
pub(crate) mod carrier;
pub(crate) mod program;
pub(crate) mod redis;
pub(crate) mod wire;
