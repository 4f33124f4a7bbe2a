use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter};

use crate::app::Shared;

/// One path with what can be done there; makes both the route and its description.
pub(crate) struct Endpoint {
    pub(crate) path: String,
    pub(crate) handler: MethodRouter<Shared>,
    pub(crate) operations: Vec<Operation>,
}

/// One method of an endpoint, for the description.
pub(crate) struct Operation {
    pub(crate) method: &'static str,
    pub(crate) summary: &'static str,
    /// The status of success.
    pub(crate) status: u16,
    /// What the body is, for methods that have one: a content type.
    pub(crate) body: Option<&'static str>,
}

/// The beginnings of most paths.
pub(crate) mod paths {
    /// The organization.
    pub(crate) const O: &str = "/api/v1/organizations/{org}";
    /// The workspace.
    pub(crate) const W: &str = "/api/v1/organizations/{org}/workspaces/{ws}";
    /// A project.
    pub(crate) const PR: &str = "/api/v1/organizations/{org}/workspaces/{ws}/projects/{p}";
    /// A dataset.
    pub(crate) const DS: &str =
        "/api/v1/organizations/{org}/workspaces/{ws}/projects/{p}/datasets/{d}";
}

pub(super) use paths::{DS, O, PR, W};

impl Endpoint {
    /// A path below one of the constants above, as yet without methods.
    pub(super) fn at(base: &str, rest: &str) -> Self {
        Self {
            path: format!("{base}{rest}"),
            handler: MethodRouter::new(),
            operations: Vec::new(),
        }
    }

    pub(super) fn get<H: Handler<T, Shared>, T: 'static>(
        self,
        summary: &'static str,
        handler: H,
    ) -> Self {
        self.on(MethodFilter::GET, "get", None, summary, handler)
    }

    pub(super) fn head<H: Handler<T, Shared>, T: 'static>(
        self,
        summary: &'static str,
        handler: H,
    ) -> Self {
        self.on(MethodFilter::HEAD, "head", None, summary, handler)
    }

    pub(super) fn options<H: Handler<T, Shared>, T: 'static>(
        self,
        summary: &'static str,
        handler: H,
    ) -> Self {
        self.on(MethodFilter::OPTIONS, "options", None, summary, handler)
    }

    pub(super) fn post<H: Handler<T, Shared>, T: 'static>(
        self,
        summary: &'static str,
        handler: H,
    ) -> Self {
        self.on(
            MethodFilter::POST,
            "post",
            Some("application/json"),
            summary,
            handler,
        )
    }

    pub(super) fn put<H: Handler<T, Shared>, T: 'static>(
        self,
        summary: &'static str,
        handler: H,
    ) -> Self {
        self.on(
            MethodFilter::PUT,
            "put",
            Some("application/json"),
            summary,
            handler,
        )
    }

    pub(super) fn patch<H: Handler<T, Shared>, T: 'static>(
        self,
        summary: &'static str,
        handler: H,
    ) -> Self {
        self.on(
            MethodFilter::PATCH,
            "patch",
            Some("application/json"),
            summary,
            handler,
        )
    }

    pub(super) fn delete<H: Handler<T, Shared>, T: 'static>(
        self,
        summary: &'static str,
        handler: H,
    ) -> Self {
        self.on(MethodFilter::DELETE, "delete", None, summary, handler)
    }

    /// The status of success of the method given last, when it is not 200.
    pub(super) fn status(mut self, status: u16) -> Self {
        if let Some(operation) = self.operations.last_mut() {
            operation.status = status;
        }
        self
    }

    /// The content type of the body of the method given last, when it is not JSON.
    pub(super) fn body(mut self, content_type: &'static str) -> Self {
        if let Some(operation) = self.operations.last_mut() {
            operation.body = Some(content_type);
        }
        self
    }

    fn on<H: Handler<T, Shared>, T: 'static>(
        mut self,
        filter: MethodFilter,
        method: &'static str,
        body: Option<&'static str>,
        summary: &'static str,
        handler: H,
    ) -> Self {
        self.handler = self.handler.on(filter, handler);
        self.operations.push(Operation {
            method,
            summary,
            status: 200,
            body,
        });
        self
    }
}
