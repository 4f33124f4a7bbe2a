/// The smallest side of an image or video in pixels that a server accepts.
pub const MIN_IMAGE_SIDE: u32 = 32;

/// The largest side of an image in pixels that a server accepts.
pub const MAX_IMAGE_SIDE: u32 = 20_000;

/// The largest upload in bytes (4.7 GiB, rounded down); more is answered with 413.
pub const MAX_UPLOAD_BYTES: u64 = 5_046_586_572;

/// The largest `limit` of a media query; also its default.
pub const MAX_PAGE_LIMIT: u32 = 1000;

/// The longest text in characters in a request (names, groups, hotkeys).
pub const MAX_TEXT: usize = 1000;

/// The most points of one polygon.
pub const MAX_POLYGON_POINTS: usize = 5000;

/// File extensions (lower case, without the dot) that a server takes for images.
pub const IMAGE_EXTENSIONS: [&str; 8] =
    ["jpg", "jpeg", "png", "bmp", "tif", "tiff", "jfif", "webp"];

/// File extensions (lower case, without the dot) that a server takes for videos.
pub const VIDEO_EXTENSIONS: [&str; 6] = ["mp4", "avi", "mkv", "mov", "webm", "m4v"];
