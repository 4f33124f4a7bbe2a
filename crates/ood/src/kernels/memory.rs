//! Memory that was freed but that the allocator keeps.

#[cfg(all(target_os = "linux", target_env = "gnu"))]
// SAFETY: the declaration is that of glibc's <malloc.h>. The function takes no pointer and may be
// called by any thread at any time, so it is safe to call.
unsafe extern "C" {
    safe fn malloc_trim(pad: usize) -> std::ffi::c_int;
}

/// Gives freed memory back to the system.
///
/// glibc keeps up to 64 MB of freed blocks in every thread's heap, which counts as memory in use.
/// With another C library nothing happens.
pub(crate) fn give_back_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    malloc_trim(0);
}
