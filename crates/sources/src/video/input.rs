//! What ffmpeg and ffprobe may open when they read a file that somebody else made.
//!
//! They tell the format of a file by its content. A playlist that calls itself `.mp4` would make
//! them open the files and addresses that it names. So they get a list of the containers that
//! hold their video themselves, and may open nothing but files.

use std::ffi::OsString;
use std::path::Path;

/// Demuxers of containers and raw streams that name no other file: those of the extensions that
/// are taken for videos, and others that cameras and recorders write.
pub const CONTAINERS: &str = "mov,mp4,m4a,3gp,3g2,mj2,avi,matroska,webm,mpegts,mpeg,mpegvideo,\
    asf,asf_o,flv,live_flv,ogg,mxf,mjpeg,jpeg_pipe,mpjpeg,gif,apng,m4v,h261,h263,h264,hevc,vvc,\
    vc1,obu,av1,ivf,dirac,dv,nut,rm,wtv,gxf,swf,yuv4mpegpipe";

/// Protocols of streams, which may not be led to files of this machine.
const NETWORK: &str = "rtp,srtp,udp,udplite,tcp,tls,http,https,httpproxy,crypto,data,rtmp,rtmpe,\
    rtmps,rtmpt,rtmpte,rtmpts,ffrtmpcrypt,ffrtmphttp,srt";

/// The arguments for a video file as input: `-i`, and before it what may be opened.
///
/// `containers` are names of ffmpeg's demuxers with commas between them. A name that begins with
/// a dash or has a colon is not taken for something else.
pub fn file_input(path: &Path, containers: &str) -> [OsString; 6] {
    let mut file = OsString::from("file:");
    file.push(path);
    let [protocols, formats] = ["-protocol_whitelist", "-format_whitelist"].map(OsString::from);
    [
        protocols,
        "file,pipe".into(),
        formats,
        containers.into(),
        "-i".into(),
        file,
    ]
}

/// What must stand before `-i` and the address of a stream.
pub(super) fn network_only() -> [OsString; 2] {
    ["-protocol_whitelist".into(), NETWORK.into()]
}

/// In plain words that a file was refused for its format, if this line of ffmpeg says so.
///
/// ```
/// let line = "[concat @ 0x55d3] Format not on whitelist 'mov,mp4'";
/// let words = straylight_sources::ffmpeg::refused_format(line).unwrap();
/// assert!(words.starts_with("its content is of the kind `concat`"));
/// ```
pub fn refused_format(line: &str) -> Option<String> {
    let (before, _) = line.split_once("Format not on whitelist")?;
    let kind = before.split_once(" @ ")?.0.rsplit_once('[')?.1;
    Some(format!(
        "its content is of the kind `{kind}`, whatever its name says; such files are not read, as \
         playlists and the like open other files: give the video itself"
    ))
}

/// A rate such as `30000/1001`; `0/0` is unknown.
pub fn ratio(text: &str) -> Option<f64> {
    let (above, below) = text.split_once('/')?;
    let (above, below): (f64, f64) = (above.parse().ok()?, below.parse().ok()?);
    Some(above / below).filter(|rate| rate.is_finite() && *rate > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_fractions() {
        for (text, wanted) in [
            ("30000/1001", Some(30_000.0 / 1001.0)),
            ("25/1", Some(25.0)),
            ("0/0", None),
            ("25", None),
            ("-1/2", None),
        ] {
            assert_eq!(ratio(text), wanted, "{text}");
        }
    }

    #[test]
    fn only_refusals_of_formats_are_put_in_other_words() {
        let wanted = refused_format("[hls @ 0x1] [error] Format not on whitelist 'mov,mp4'");
        assert!(wanted.unwrap().contains("`hls`"));
        assert_eq!(refused_format("[mov @ 0x1] moov atom not found"), None);
        assert_eq!(refused_format("Format not on whitelist"), None);
    }
}
