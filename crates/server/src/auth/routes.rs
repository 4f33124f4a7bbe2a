//! Which role every route asks for.
//!
//! A route that is not in this table is closed to everybody, so that a new one cannot be open by
//! mistake.

use axum::http::Method;
use straylight_store::Role;

use crate::api::paths::{DS, O, PR, W};

/// One method of one route, and who may use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Route {
    /// `GET` and so on; `GET` stands for `HEAD` as well where that is not in the table.
    pub method: &'static str,
    /// The path without its last part below.
    base: &'static str,
    rest: &'static str,
    /// The weakest role that is allowed, `None` when no login is needed.
    pub role: Option<Role>,
}

impl Route {
    /// The path with names in braces.
    pub fn path(&self) -> String {
        format!("{}{}", self.base, self.rest)
    }

    fn is(&self, method: &str, path: &str) -> bool {
        self.method == method && path.strip_prefix(self.base) == Some(self.rest)
    }
}

/// Every route with the role that it asks for.
pub fn routes() -> &'static [Route] {
    TABLE
}

/// What a route asks for; `None` when it has no such method, or is not in the table.
pub(super) fn needed(method: &Method, path: &str) -> Option<&'static Route> {
    let find = |method: &str| TABLE.iter().find(|route| route.is(method, path));
    let found = find(method.as_str());
    if found.is_none() && method == Method::HEAD {
        return find("GET");
    }
    found
}

const OPEN: Option<Role> = None;
const COLLECT: Option<Role> = Some(Role::Collect);
const REVIEW: Option<Role> = Some(Role::Review);
const ADMINISTER: Option<Role> = Some(Role::Administer);

const fn at(
    method: &'static str,
    base: &'static str,
    rest: &'static str,
    role: Option<Role>,
) -> Route {
    Route {
        method,
        base,
        rest,
        role,
    }
}

#[rustfmt::skip]
const TABLE: &[Route] = &[
    at("GET", "", "/healthz", OPEN),
    at("GET", "", "/readyz", OPEN),
    at("GET", "", "/v2/health/live", OPEN),
    at("GET", "", "/v2/health/ready", OPEN),
    at("GET", "", "/login", OPEN),
    at("POST", "", "/login", OPEN),
    at("GET", "", "/static/app.css", OPEN),
    at("GET", "", "/static/app.js", OPEN),
    at("GET", "", "/static/icon.svg", OPEN),

    // What a camera needs: to know where things go, to add images, to have them predicted.
    at("POST", "", "/logout", COLLECT),
    at("GET", "", "/metrics", COLLECT),
    at("GET", "", "/docs", COLLECT),
    at("GET", "", "/docs/openapi.json", COLLECT),
    at("GET", "", "/v2", COLLECT),
    at("GET", "", "/v2/models/{name}", COLLECT),
    at("GET", "", "/v2/models/{name}/ready", COLLECT),
    at("POST", "", "/v2/models/{name}/infer", COLLECT),
    at("GET", "", "/v2/models/{name}/versions/{version}", COLLECT),
    at("GET", "", "/v2/models/{name}/versions/{version}/ready", COLLECT),
    at("POST", "", "/v2/models/{name}/versions/{version}/infer", COLLECT),
    at("GET", "/api/v1", "/product_info", COLLECT),
    at("GET", "/api/v1", "/personal_access_tokens/organization", COLLECT),
    at("GET", "/api/v1", "/profile", COLLECT),
    at("GET", O, "/workspaces", COLLECT),
    at("GET", O, "/balance", COLLECT),
    at("GET", W, "/projects", COLLECT),
    at("GET", W, "/projects_names", COLLECT),
    at("GET", PR, "", COLLECT),
    at("GET", PR, "/status", COLLECT),
    at("GET", PR, "/datasets", COLLECT),
    at("POST", PR, "/datasets", COLLECT),
    at("GET", DS, "", COLLECT),
    at("POST", DS, "/media/images", COLLECT),
    at("POST", DS, "/media/videos", COLLECT),
    at("GET", PR, "/supported_algorithms", COLLECT),
    at("GET", PR, "/model_groups", COLLECT),
    at("GET", PR, "/model_groups/{g}", COLLECT),
    at("GET", PR, "/model_groups/{g}/models/{m}", COLLECT),
    at("POST", PR, "/deployment_package:download", COLLECT),
    at("POST", PR, "/code_deployments:prepare", COLLECT),
    at("GET", PR, "/code_deployments/{c}", COLLECT),
    at("GET", PR, "/code_deployments/{c}/download", COLLECT),
    at("POST", PR, "/pipelines/active:predict", COLLECT),
    at("POST", PR, "/pipelines/active:explain", COLLECT),
    at("GET", PR, "/pipelines/active/status", COLLECT),

    // Looking, labelling, deciding, and taking copies of what can be looked at.
    at("GET", "", "/", REVIEW),
    at("GET", "", "/projects/{p}", REVIEW),
    at("GET", "", "/projects/{p}/datasets/{d}", REVIEW),
    at("GET", "", "/projects/{p}/datasets/{d}/view", REVIEW),
    at("GET", "", "/projects/{p}/datasets/{d}/plots", REVIEW),
    at("GET", "", "/images/{i}", REVIEW),
    at("GET", "", "/images/{i}/nearest", REVIEW),
    at("GET", "", "/files/{i}", REVIEW),
    at("GET", "", "/thumbnails/{i}", REVIEW),
    at("GET", "", "/hooks", REVIEW),
    at("POST", "", "/actions/images/{i}/{what}", REVIEW),
    at("POST", "", "/actions/undo", REVIEW),
    at("GET", PR, "/thumbnail", REVIEW),
    at("GET", DS, "/statistics", REVIEW),
    at("POST", DS, "/media:query", REVIEW),
    at("GET", DS, "/media/images/{i}", REVIEW),
    at("GET", DS, "/media/images/{i}/display/full", REVIEW),
    at("GET", DS, "/media/images/{i}/display/thumb", REVIEW),
    at("POST", DS, "/media/images/{i}/annotations", REVIEW),
    at("GET", DS, "/media/images/{i}/annotations/latest", REVIEW),
    at("GET", DS, "/media/videos/{v}", REVIEW),
    at("GET", DS, "/media/videos/{v}/display/stream", REVIEW),
    at("GET", DS, "/media/videos/{v}/display/thumb", REVIEW),
    at("GET", DS, "/media/videos/{v}/frames/{n}/display/full", REVIEW),
    at("GET", DS, "/media/videos/{v}/frames/{n}/display/thumb", REVIEW),
    at("GET", DS, "/media/videos/{v}/annotations/latest", REVIEW),
    at("POST", DS, "/media/videos/{v}/frames/{n}/annotations", REVIEW),
    at("GET", DS, "/media/videos/{v}/frames/{n}/annotations/latest", REVIEW),
    at("GET", W, "/jobs", REVIEW),
    at("GET", W, "/jobs/{j}", REVIEW),
    // `{p}:export` and `{d}:prepare-for-export`.
    at("POST", PR, "", REVIEW),
    at("POST", DS, "", REVIEW),
    at("GET", PR, "/exports/{j}/download", REVIEW),
    at("GET", PR, "/project_configuration", REVIEW),
    at("GET", PR, "/training_configuration", REVIEW),
    at("GET", PR, "/configuration", REVIEW),
    at("GET", PR, "/configuration/global", REVIEW),
    at("GET", PR, "/configuration/task_chain/{t}", REVIEW),

    // Making, changing and deleting for good.
    at("POST", W, "/projects", ADMINISTER),
    at("PUT", PR, "", ADMINISTER),
    at("DELETE", PR, "", ADMINISTER),
    at("PUT", DS, "", ADMINISTER),
    at("DELETE", DS, "", ADMINISTER),
    at("DELETE", DS, "/media/images/{i}", ADMINISTER),
    at("DELETE", DS, "/media/videos/{v}", ADMINISTER),
    at("POST", PR, "/model_groups/{g}", ADMINISTER),
    at("PATCH", PR, "/project_configuration", ADMINISTER),
    at("POST", PR, "/configuration", ADMINISTER),
    at("POST", PR, "/configuration/global", ADMINISTER),
    at("POST", PR, "/configuration/task_chain/{t}", ADMINISTER),
    at("POST", W, "/jobs/{j}", ADMINISTER),
    at("DELETE", W, "/jobs/{j}", ADMINISTER),
    at("OPTIONS", W, "/datasets/uploads/resumable", ADMINISTER),
    at("POST", W, "/datasets/uploads/resumable", ADMINISTER),
    at("HEAD", W, "/datasets/uploads/resumable/{f}", ADMINISTER),
    at("PATCH", W, "/datasets/uploads/resumable/{f}", ADMINISTER),
    at("OPTIONS", W, "/projects/uploads/resumable", ADMINISTER),
    at("POST", W, "/projects/uploads/resumable", ADMINISTER),
    at("HEAD", W, "/projects/uploads/resumable/{f}", ADMINISTER),
    at("PATCH", W, "/projects/uploads/resumable/{f}", ADMINISTER),
    at("POST", W, "/projects:import", ADMINISTER),
    at("POST", W, "/datasets:prepare-for-import", ADMINISTER),
    at("POST", W, "/projects:import-from-dataset", ADMINISTER),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::api;

    #[test]
    fn every_endpoint_is_in_the_table_once() {
        let described: BTreeSet<(String, String)> = api::endpoints()
            .into_iter()
            .flat_map(|endpoint| {
                let path = endpoint.path;
                let methods = endpoint.operations.into_iter();
                methods.map(move |o| (o.method.to_uppercase(), path.clone()))
            })
            .collect();
        let listed: Vec<(String, String)> = TABLE
            .iter()
            .filter(|route| route.path().starts_with("/api/"))
            .map(|route| (route.method.to_owned(), route.path()))
            .collect();
        let unique: BTreeSet<_> = listed.iter().cloned().collect();
        assert_eq!(listed.len(), unique.len(), "twice in the table");
        let missing: Vec<_> = described.difference(&unique).collect();
        let extra: Vec<_> = unique.difference(&described).collect();
        assert!(
            missing.is_empty() && extra.is_empty(),
            "missing {missing:?}, extra {extra:?}"
        );
    }

    #[test]
    fn a_head_is_as_open_as_what_it_is_the_head_of() {
        let role = |method: Method, path: &str| needed(&method, path).map(|route| route.role);
        assert_eq!(role(Method::HEAD, "/files/{i}"), Some(Some(Role::Review)));
        assert_eq!(role(Method::DELETE, "/files/{i}"), None);
        assert_eq!(role(Method::GET, "/new"), None);
    }
}
