use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};
use straylight_geti::wire::{
    OrganizationEntry, Organizations, ProductInfo, Workspace, WorkspaceList,
};

use super::Endpoint;
use super::endpoint::O;
use super::extract::Ids;
use crate::app::Shared;
use crate::config::SdkGeneration;

pub(super) fn endpoints() -> Vec<Endpoint> {
    let v1 = "/api/v1";
    vec![
        Endpoint::at(v1, "/product_info").get("What the server says of itself", product_info),
        Endpoint::at(v1, "/personal_access_tokens/organization")
            .get("The organization of the token", organizations),
        Endpoint::at(v1, "/profile").get("The organization of the user", organizations),
        Endpoint::at(O, "/workspaces").get("The workspaces, exactly one", workspaces),
        Endpoint::at(O, "/balance")
            .get("Nothing: there are no credits here", no_credits)
            .status(204),
    ]
}

async fn product_info(State(app): State<Shared>) -> Json<Value> {
    let version = app.config.generation.version();
    let info = ProductInfo {
        product_version: Some(version.to_owned()),
        build_version: Some(version.to_owned()),
    };
    let mut info = json!(info);
    if app.config.generation == SdkGeneration::Current {
        info["environment"] = json!("on-prem");
        info["straylight-version"] = json!(env!("CARGO_PKG_VERSION"));
    }
    Json(info)
}

async fn organizations(State(app): State<Shared>) -> Json<Organizations> {
    let workspace = app.store.workspace();
    let organization = OrganizationEntry {
        organization_id: workspace.organization_id.clone(),
        organization_created_at: Some(workspace.created_at.into()),
    };
    Json(Organizations::Many {
        organizations: vec![organization],
    })
}

async fn workspaces(State(app): State<Shared>, _ids: Ids) -> Json<WorkspaceList> {
    let workspace = app.store.workspace();
    let workspace = Workspace {
        id: workspace.id.clone(),
        name: workspace.name.clone(),
    };
    let workspaces = vec![workspace];
    Json(WorkspaceList::Wrapped { workspaces })
}

/// Any 2xx answer that is no JSON tells the SDK that there is no credit system.
async fn no_credits(_ids: Ids) -> StatusCode {
    StatusCode::NO_CONTENT
}
