//! Errors, looked at closely.

use ipc_common::{Errno, Error};

pub fn errno<T>(result: ipc_common::Result<T>) -> Errno {
    result.err().expect("an error").errno()
}

/// Its errno, once it is sure that it is the memory that speaks, and not the kernel.
pub fn remembered<T: std::fmt::Debug>(result: ipc_common::Result<T>) -> Error {
    let error = result.unwrap_err();
    assert_eq!(error.errno(), Errno::EIO);
    assert!(!error.is_from_kernel() && error.remedy().contains("may be gone"), "{error}");
    error
}
