use straylight_core::{hide_secrets, holds_user};
use ureq::http::Uri;

use crate::error::{ErrorKind, GetiError};

/// The path that all calls of the API share.
const API: &str = "/api/v1/";

/// Where a server is: scheme, host, port, and a path in front of `/api/v1/` if there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BaseUrl {
    origin: String,
    prefix: String,
    loopback: bool,
}

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// Path and query after `/api/v1/`.
    Api(String),
    /// Path and query after the server's origin.
    Server(String),
    /// A whole address elsewhere; the token does not go there.
    Elsewhere(String),
}

impl BaseUrl {
    /// Reads a host as people write it: with or without `https://`, port and closing slash.
    ///
    /// Plain HTTP is accepted for this machine only: a token must not travel in clear.
    pub(crate) fn parse(host: &str) -> Result<Self, GetiError> {
        let host = host.trim();
        let text = if host.contains("://") {
            host.to_owned()
        } else {
            format!("https://{host}")
        };
        let bad = |reason: &str| {
            GetiError::new(
                ErrorKind::Settings,
                format!("`{}` is not a server: {reason}", safe(&text)),
            )
            .with_hint("write it as https://host or https://host:port")
        };
        // Asked first: a password with a slash would make a path of its second half.
        if holds_user(&text) {
            return Err(bad("it holds a user name; use a token instead"));
        }
        let uri: Uri = text.parse().map_err(|_| bad("it is not an address"))?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(bad("it has no host"));
        };
        if uri.query().is_some() || authority.host().is_empty() {
            return Err(bad("only a host, a port and a path may be in it"));
        }
        let loopback = is_loopback(authority.host());
        match scheme {
            "https" => {}
            "http" if loopback => {}
            "http" => {
                return Err(bad(
                    "plain HTTP would show the token to the network; use https",
                ));
            }
            _ => return Err(bad("only https is supported")),
        }
        Ok(Self {
            origin: format!("{scheme}://{authority}"),
            prefix: uri.path().trim_end_matches('/').to_owned(),
            loopback,
        })
    }

    /// Whether the server is this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        self.loopback
    }

    /// The address as people write it.
    pub(crate) fn as_text(&self) -> String {
        format!("{}{}", self.origin, self.prefix)
    }

    /// The whole address of a target, and whether it is the server's own.
    pub(crate) fn address(&self, target: &Target) -> (String, bool) {
        match target {
            Target::Api(path) => (format!("{}{}{API}{path}", self.origin, self.prefix), true),
            Target::Server(path) => (format!("{}{}{path}", self.origin, self.prefix), true),
            Target::Elsewhere(url) => (url.clone(), false),
        }
    }

    /// Where an address goes that the server wrote (a next page, a display URL, an export).
    ///
    /// What follows `/api/v1/` is looked up at this server, whatever stands before it: the
    /// server may know itself by another name. Anything else at another origin is elsewhere.
    pub(crate) fn target(&self, url: &str) -> Target {
        if let Some((_, rest)) = url.split_once(API) {
            return Target::Api(rest.to_owned());
        }
        match url.strip_prefix(self.origin.as_str()) {
            Some(path) if path.starts_with('/') => Target::Server(path.to_owned()),
            _ if !url.contains("://") => {
                Target::Server(format!("/{}", url.trim_start_matches('/')))
            }
            _ => Target::Elsewhere(url.to_owned()),
        }
    }

    /// Where a redirect from `from` to `location` goes; `None` if it must not be followed.
    pub(crate) fn redirect(&self, from: &str, location: &str) -> Option<(String, bool)> {
        let to = resolve(from, location)?;
        let secure = |url: &str| url.starts_with("https://");
        if secure(from) && !secure(&to) {
            return None;
        }
        let own = origin(&to)? == origin(&self.origin)?;
        Some((to, own))
    }
}

/// `location` as a whole address, seen from `from`.
fn resolve(from: &str, location: &str) -> Option<String> {
    if location.contains("://") {
        return Some(location.to_owned());
    }
    let uri: Uri = from.parse().ok()?;
    let scheme = uri.scheme_str()?;
    if let Some(rest) = location.strip_prefix("//") {
        return Some(format!("{scheme}://{rest}"));
    }
    let authority = uri.authority()?;
    if location.starts_with('/') {
        return Some(format!("{scheme}://{authority}{location}"));
    }
    let folder = uri.path().rsplit_once('/').map_or("", |(folder, _)| folder);
    Some(format!("{scheme}://{authority}{folder}/{location}"))
}

/// Scheme, host in lower case, and port with its default filled in.
fn origin(url: &str) -> Option<(String, String, u16)> {
    let uri: Uri = url.parse().ok()?;
    let scheme = uri.scheme_str()?.to_ascii_lowercase();
    let port = uri
        .port_u16()
        .unwrap_or(if scheme == "http" { 80 } else { 443 });
    Some((scheme, uri.host()?.to_ascii_lowercase(), port))
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address = bare
        .parse::<std::net::IpAddr>()
        .is_ok_and(|ip| ip.is_loopback());
    address || bare.eq_ignore_ascii_case("localhost")
}

/// An address or a path without its secrets, fit for messages.
pub(crate) fn safe(url: &str) -> String {
    if url.contains("://") {
        return hide_secrets(url);
    }
    let path = url.split(['?', '#']).next();
    path.unwrap_or_default().to_owned()
}

/// One segment of a path or one value of a query, percent-encoded.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            // A segment of dots alone would climb; elsewhere a dot is harmless.
            b'.' if !text.bytes().all(|b| b == b'.') => encoded.push('.'),
            _ => encoded.extend(format!("%{byte:02X}").chars()),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_as_people_write_them() {
        struct Case(&'static str, Option<&'static str>);
        for Case(host, base) in [
            Case("geti.example.com", Some("https://geti.example.com")),
            Case(
                " https://geti.example.com:8443/ ",
                Some("https://geti.example.com:8443"),
            ),
            Case(
                "https://example.com/geti/",
                Some("https://example.com/geti"),
            ),
            Case("localhost:9000", Some("https://localhost:9000")),
            Case("http://127.0.0.1:9000", Some("http://127.0.0.1:9000")),
            Case("http://[::1]:9000", Some("http://[::1]:9000")),
            Case("http://geti.example.com", None),
            Case("ftp://geti.example.com", None),
            Case("https://user:pw@geti.example.com", None),
            Case("https://geti.example.com?x=1", None),
            Case("https://", None),
            Case("", None),
            Case("two words", None),
        ] {
            assert_eq!(
                BaseUrl::parse(host).ok().map(|b| b.as_text()).as_deref(),
                base,
                "{host}"
            );
        }
        let error = BaseUrl::parse("https://user:pw@x").unwrap_err();
        assert!(!error.to_string().contains("pw"), "{error}");
    }

    #[test]
    fn addresses_of_the_server_stay_at_the_server() {
        struct Case(&'static str, Target);
        let base = BaseUrl::parse("https://a:8443").unwrap();
        for Case(url, target) in [
            Case("/api/v1/x?skip=1", Target::Api("x?skip=1".into())),
            Case("https://inside/api/v1/x", Target::Api("x".into())),
            Case("https://a:8443/files/x", Target::Server("/files/x".into())),
            Case("files/x", Target::Server("/files/x".into())),
            Case(
                "https://a:8443.evil/x",
                Target::Elsewhere("https://a:8443.evil/x".into()),
            ),
            Case("https://b/x", Target::Elsewhere("https://b/x".into())),
        ] {
            assert_eq!(base.target(url), target, "{url}");
        }
    }

    #[test]
    fn redirects_know_their_origin() {
        struct Case(&'static str, Option<(&'static str, bool)>);
        let base = BaseUrl::parse("https://a").unwrap();
        for Case(location, to) in [
            Case("/y", Some(("https://a/y", true))),
            Case("y", Some(("https://a/x/y", true))),
            Case("https://A:443/y", Some(("https://A:443/y", true))),
            Case("//b/y", Some(("https://b/y", false))),
            Case("https://a.b/y", Some(("https://a.b/y", false))),
            Case("https://a:8443/y", Some(("https://a:8443/y", false))),
            Case("http://a/y", None),
            Case("file:///etc/passwd", None),
        ] {
            let result = base.redirect("https://a/x/z", location);
            assert_eq!(
                result.as_ref().map(|(url, own)| (url.as_str(), *own)),
                to,
                "{location}"
            );
        }
    }

    #[test]
    fn segments_cannot_leave_their_place() {
        assert_eq!(encode("a b/ö"), "a%20b%2F%C3%B6");
        assert_eq!(encode(".."), "%2E%2E");
        assert_eq!(encode("a.b"), "a.b");
    }

    #[test]
    fn addresses_in_messages_hold_no_secrets() {
        assert_eq!(
            safe("https://u:p@h:1/a/b?sig=x#y"),
            "https://***@h:1/a/b?***"
        );
        for password in ["xy/zw", "xy#zw", "xy?zw", "xy@zw", "xy%zw"] {
            let error = BaseUrl::parse(&format!("https://admin:{password}@host")).unwrap_err();
            let said = error.to_string();
            assert!(!said.contains("xy") && !said.contains("zw"), "{said}");
        }
        assert_eq!(safe("/a?b"), "/a");
    }
}
