//! The host functions that Portero calls.
//!
//! The SDK's wrappers panic on statuses that do occur, and read statuses into an enum that does not
//! list them all. These wrappers give back what the host said as a plain number, or nothing.

#![allow(unsafe_code)]

use std::alloc::{Layout, alloc};
use std::ptr;

use super::numbers::{Buffer, LogLevel, Map, MetricKind};
use crate::foreign;
use crate::header_list::HeaderList;
use crate::host::SignatureQuestion;

const OK: u32 = 0;

/// The request's way, in the host's numbering of streams.
const REQUEST_STREAM: u32 = 0;

unsafe extern "C" {
    fn proxy_log(level: u32, text: *const u8, size: usize) -> u32;
    fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32;
    fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    fn proxy_get_buffer_bytes(
        kind: u32,
        start: usize,
        size: usize,
        data: *mut *mut u8,
        length: *mut usize,
    ) -> u32;
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, length: *mut usize) -> u32;
    fn proxy_replace_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_remove_header_map_value(map: u32, name: *const u8, name_size: usize) -> u32;
    fn proxy_add_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: i32,
    ) -> u32;
    fn proxy_continue_stream(stream: u32) -> u32;
    fn proxy_http_call(
        cluster: *const u8,
        cluster_size: usize,
        headers: *const u8,
        headers_size: usize,
        body: *const u8,
        body_size: usize,
        trailers: *const u8,
        trailers_size: usize,
        timeout: u32,
        token: *mut u32,
    ) -> u32;
    fn proxy_set_effective_context(context: u32) -> u32;
    fn proxy_get_shared_data(
        key: *const u8,
        key_size: usize,
        data: *mut *mut u8,
        length: *mut usize,
        version: *mut u32,
    ) -> u32;
    fn proxy_set_shared_data(
        key: *const u8,
        key_size: usize,
        value: *const u8,
        value_size: usize,
        version: u32,
    ) -> u32;
    fn proxy_set_property(
        path: *const u8,
        path_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_call_foreign_function(
        name: *const u8,
        name_size: usize,
        argument: *const u8,
        argument_size: usize,
        data: *mut *mut u8,
        length: *mut usize,
    ) -> u32;
    fn proxy_define_metric(kind: u32, name: *const u8, name_size: usize, id: *mut u32) -> u32;
    fn proxy_increment_metric(id: u32, offset: i64) -> u32;
    fn proxy_record_metric(id: u32, value: u64) -> u32;
}

/// Writes a line of log.
pub fn log(level: LogLevel, text: &str) {
    unsafe {
        proxy_log(level as u32, text.as_ptr(), text.len());
    }
}

/// Nanoseconds since the epoch. Where the host does not tell, it is so late that everything has
/// expired: nothing may live for ever because a clock is missing.
pub fn current_time() -> u64 {
    let mut time = 0;
    let status = unsafe { proxy_get_current_time_nanoseconds(&raw mut time) };
    if status == OK { time } else { u64::MAX }
}

pub fn set_tick_period(milliseconds: u32) {
    unsafe {
        proxy_set_tick_period_milliseconds(milliseconds);
    }
}

/// The beginning of a buffer, `most` bytes of it.
pub fn buffer(kind: Buffer, most: usize) -> Option<Vec<u8>> {
    let (mut data, mut length) = (ptr::null_mut(), 0);
    let status =
        unsafe { proxy_get_buffer_bytes(kind as u32, 0, most, &raw mut data, &raw mut length) };
    owned(status, data, length)
}

/// A header map.
pub fn headers(map: Map) -> Option<HeaderList> {
    let (mut data, mut length) = (ptr::null_mut(), 0);
    let status = unsafe { proxy_get_header_map_pairs(map as u32, &raw mut data, &raw mut length) };
    HeaderList::read(owned(status, data, length)?)
}

/// Sets a header in place of any of that name; says whether the host took it.
pub fn replace_header(map: Map, name: &str, value: &[u8]) -> bool {
    let status = unsafe {
        proxy_replace_header_map_value(
            map as u32,
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        )
    };
    status == OK
}

/// Removes every header of a name; says whether the host took it.
pub fn remove_header(map: Map, name: &str) -> bool {
    let status = unsafe { proxy_remove_header_map_value(map as u32, name.as_ptr(), name.len()) };
    status == OK
}

/// Adds a header beside others of that name.
pub fn add_header(map: Map, name: &str, value: &[u8]) {
    unsafe {
        proxy_add_header_map_value(
            map as u32,
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        );
    }
}

/// Answers the current request; `headers` in the host's serialisation.
pub fn send_local_response(status: u16, headers: &[u8], body: &[u8]) -> bool {
    const DETAILS: &str = "portero";
    let status = unsafe {
        proxy_send_local_response(
            u32::from(status),
            DETAILS.as_ptr(),
            DETAILS.len(),
            body.as_ptr(),
            body.len(),
            headers.as_ptr(),
            headers.len(),
            -1,
        )
    };
    status == OK
}

/// Lets a paused request go on.
pub fn continue_request() -> bool {
    unsafe { proxy_continue_stream(REQUEST_STREAM) == OK }
}

/// Sends an HTTP call through a cluster, `headers` in the host's serialisation; gives the token that
/// its answer will carry.
pub fn http_call(cluster: &str, headers: &[u8], body: &[u8], milliseconds: u32) -> Option<u32> {
    let mut token = 0;
    let status = unsafe {
        proxy_http_call(
            cluster.as_ptr(),
            cluster.len(),
            headers.as_ptr(),
            headers.len(),
            body.as_ptr(),
            body.len(),
            ptr::null(),
            0,
            milliseconds,
            &raw mut token,
        )
    };
    (status == OK).then_some(token)
}

/// Makes another request the one that calls are about; `false` when it is gone.
pub fn set_effective_context(context: u32) -> bool {
    unsafe { proxy_set_effective_context(context) == OK }
}

/// A shared value and its version.
pub fn shared_data(key: &str) -> Option<(Vec<u8>, u32)> {
    let (mut data, mut length, mut version) = (ptr::null_mut(), 0, 0);
    let status = unsafe {
        proxy_get_shared_data(
            key.as_ptr(),
            key.len(),
            &raw mut data,
            &raw mut length,
            &raw mut version,
        )
    };
    owned(status, data, length).map(|bytes| (bytes, version))
}

/// Writes a shared value; version 0 writes whatever is there.
pub fn set_shared_data(key: &str, value: &[u8], version: u32) -> bool {
    let status = unsafe {
        proxy_set_shared_data(
            key.as_ptr(),
            key.len(),
            value.as_ptr(),
            value.len(),
            version,
        )
    };
    status == OK
}

/// Says what a property of a name is, before the first request. Says whether the host took it.
pub fn declare_text_property(name: &str) -> bool {
    call_function("declare_property", &foreign::text_property(name)).is_some()
}

/// What Envoy's own cryptography says of a signature, if it does.
pub fn verify_signature(question: &SignatureQuestion<'_>) -> Option<bool> {
    let argument = foreign::signature_question(question);
    foreign::signature_verdict(&call_function("verify_signature", &argument)?)
}

/// Calls one of Envoy's own functions, if there is one of that name that takes the argument.
fn call_function(name: &str, argument: &[u8]) -> Option<Vec<u8>> {
    let (mut data, mut length) = (ptr::null_mut(), 0);
    let status = unsafe {
        proxy_call_foreign_function(
            name.as_ptr(),
            name.len(),
            argument.as_ptr(),
            argument.len(),
            &raw mut data,
            &raw mut length,
        )
    };
    owned(status, data, length)
}

/// Leaves a text with the current request under `name`, which has no separators; says whether the
/// host took it.
pub fn set_property(name: &str, text: &str) -> bool {
    let status =
        unsafe { proxy_set_property(name.as_ptr(), name.len(), text.as_ptr(), text.len()) };
    status == OK
}

/// The id of a metric.
pub fn define_metric(kind: MetricKind, name: &str) -> Option<u32> {
    let mut id = 0;
    let status =
        unsafe { proxy_define_metric(kind as u32, name.as_ptr(), name.len(), &raw mut id) };
    (status == OK).then_some(id)
}

pub fn increment_metric(id: u32) {
    unsafe {
        proxy_increment_metric(id, 1);
    }
}

pub fn record_metric(id: u32, value: u64) {
    unsafe {
        proxy_record_metric(id, value);
    }
}

/// Takes over bytes that the host wrote into this VM's memory.
fn owned(status: u32, data: *mut u8, length: usize) -> Option<Vec<u8>> {
    if status != OK {
        return None;
    }
    if data.is_null() {
        return Some(Vec::new());
    }
    // The host got exactly `length` bytes from `proxy_on_memory_allocate`, with the layout that a
    // vector of bytes has.
    Some(unsafe { Vec::from_raw_parts(data, length, length) })
}

/// Memory that the host writes to: what [`owned`] takes over. Null tells the host that there is none.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    match Layout::array::<u8>(size) {
        Ok(layout) if size > 0 => unsafe { alloc(layout) },
        _ => ptr::null_mut(),
    }
}
