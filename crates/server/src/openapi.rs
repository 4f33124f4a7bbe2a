//! The `OpenAPI` description, made from the same list as the routes.

use axum::routing::get;
use axum::{Json, Router};
use maud::{Markup, html};
use serde_json::{Map, Value, json};
use straylight_store::Role;

use crate::api;
use crate::app::Shared;
use crate::auth::{self, Route};
use crate::web::layout;

/// `/docs` for people and `/docs/openapi.json` for programs.
pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/docs", get(page))
        .route("/docs/openapi.json", get(|| async { Json(document()) }))
}

/// The whole description.
pub(crate) fn document() -> Value {
    let mut paths = Map::new();
    for endpoint in api::endpoints() {
        let operations = endpoint.operations.iter();
        let item = operations.map(|o| (o.method.to_owned(), operation(o, &endpoint.path)));
        paths.insert(endpoint.path.clone(), Value::Object(item.collect()));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Straylight local server",
            "description": "The part of the Geti REST API that this server offers.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {"type": "apiKey", "in": "header", "name": "x-api-key"},
            },
            "schemas": {"Error": {
                "type": "object",
                "required": ["error_code", "message", "http_status"],
                "properties": {
                    "error_code": {"type": "string"},
                    "message": {"type": "string"},
                    "http_status": {"type": "integer"},
                },
            }},
        },
    })
}

fn operation(operation: &api::Operation, path: &str) -> Value {
    let error = json!({"$ref": "#/components/schemas/Error"});
    let mut described = json!({
        "summary": operation.summary,
        "x-role": role(operation, path),
        "parameters": parameters(path),
        "responses": {
            operation.status.to_string(): {"description": "Done"},
            "default": {
                "description": "What went wrong",
                "content": {"application/json": {"schema": error}},
            },
        },
    });
    if !matches!(operation.method, "get" | "head" | "options")
        && let Some(parameters) = described["parameters"].as_array_mut()
    {
        parameters.push(json!({
            "name": "x-geti-csrf-protection", "in": "header", "required": true,
            "schema": {"type": "string", "const": "1"},
        }));
    }
    if let Some(content) = operation.body {
        described["requestBody"] = json!({"content": {content: {"schema": {}}}});
    }
    described
}

fn parameters(path: &str) -> Vec<Value> {
    let names = path
        .split('{')
        .skip(1)
        .filter_map(|part| part.split('}').next());
    let parameter =
        |name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}});
    names.map(parameter).collect()
}

/// The weakest role of a token that may do it.
fn role(operation: &api::Operation, path: &str) -> &'static str {
    let method = operation.method.to_uppercase();
    let is_it = |route: &&Route| route.method == method && route.path() == path;
    let route = auth::routes().iter().find(is_it);
    route.and_then(|route| route.role).map_or("", Role::as_str)
}

async fn page() -> Markup {
    let endpoints = api::endpoints();
    layout::page(
        "API",
        &html! {
            h1 { "The REST API" }
            p {
                "The same list as a program reads it: "
                a href="/docs/openapi.json" { "openapi.json" }
                ". Send a token in the header " code { "x-api-key" } ", and with everything but GET "
                code { "x-geti-csrf-protection: 1" } "."
            }
            div.scroll tabindex="0" role="region" aria-label="Table" { table {
                thead { tr { th { "Method" } th { "Path" } th { "What it does" } th { "Role" } } }
                tbody {
                    @for endpoint in &endpoints { @for operation in &endpoint.operations {
                        tr {
                            td { code { (operation.method.to_uppercase()) } }
                            td { code { (endpoint.path) } }
                            td { (operation.summary) }
                            td { (role(operation, &endpoint.path)) }
                        }
                    } }
                }
            } }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_described_once_with_its_parameters() {
        let document = document();
        let paths = document["paths"].as_object().unwrap();
        assert_eq!(
            paths.len(),
            api::endpoints().len(),
            "two endpoints have one path"
        );
        let upload =
            "/api/v1/organizations/{org}/workspaces/{ws}/projects/{p}/datasets/{d}/media/images";
        let post = &paths[upload]["post"];
        assert_eq!(post["parameters"].as_array().unwrap().len(), 5);
        assert!(post["requestBody"]["content"]["multipart/form-data"].is_object());
    }
}
