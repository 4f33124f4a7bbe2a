use serde::{Deserialize, Serialize};

use super::{Id, Time, number, time};

/// `GET /product_info`: what the server says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductInfo {
    /// Version for people, such as `2.13.0`.
    #[serde(
        rename = "product-version",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub product_version: Option<String>,
    /// Version of the build, `2.13.0-tag-20260101000000`; counts more when it is there.
    #[serde(
        rename = "build-version",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub build_version: Option<String>,
}

/// `GET /personal_access_tokens/organization`: the organizations of a token, in either shape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Organizations {
    /// Since server 2.5: one or more.
    Many {
        /// The organizations; the one created first is used.
        organizations: Vec<OrganizationEntry>,
    },
    /// Before server 2.5: exactly one.
    One {
        /// UUID of the organization.
        #[serde(rename = "organizationId")]
        organization_id: Id,
    },
}

/// One organization of a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganizationEntry {
    /// UUID of the organization.
    #[serde(rename = "organizationId")]
    pub organization_id: Id,
    /// When it was created.
    #[serde(
        rename = "organizationCreatedAt",
        default,
        deserialize_with = "time::lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub organization_created_at: Option<Time>,
}

impl Organizations {
    /// The organization created first, one without a date last; `None` when there is none.
    pub fn oldest(&self) -> Option<&str> {
        match self {
            Self::One { organization_id } => Some(organization_id),
            Self::Many { organizations } => organizations
                .iter()
                .min_by_key(|o| {
                    (
                        o.organization_created_at.is_none(),
                        o.organization_created_at,
                    )
                })
                .map(|o| o.organization_id.as_str()),
        }
    }
}

/// `GET /workspaces`: an object, or a bare list as some servers answer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum WorkspaceList {
    /// The documented form.
    Wrapped {
        /// The workspaces.
        workspaces: Vec<Workspace>,
    },
    /// A list without an object around it.
    Bare(Vec<Workspace>),
}

impl WorkspaceList {
    /// The workspaces, whichever form they came in.
    pub fn into_vec(self) -> Vec<Workspace> {
        match self {
            Self::Wrapped { workspaces } | Self::Bare(workspaces) => workspaces,
        }
    }
}

impl Serialize for WorkspaceList {
    /// Always writes the documented form.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let (Self::Wrapped { workspaces } | Self::Bare(workspaces)) = self;
        let mut object = serializer.serialize_struct("WorkspaceList", 1)?;
        object.serialize_field("workspaces", workspaces)?;
        object.end()
    }
}

/// A workspace of an organization.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workspace {
    /// UUID of the workspace.
    pub id: Id,
    /// What people call it; SDK 2.5 wants one named `Default Workspace`.
    #[serde(default)]
    pub name: String,
}

/// `GET /balance`: credits; a server without a credit system answers 204.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balance {
    /// Credits to come.
    #[serde(default, deserialize_with = "number::count")]
    pub incoming: u64,
    /// Credits to spend.
    #[serde(default, deserialize_with = "number::count")]
    pub available: u64,
    /// Credits held back for running jobs.
    #[serde(default, deserialize_with = "number::count")]
    pub blocked: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_organization_is_chosen_in_both_shapes() {
        struct Case(&'static str, Option<&'static str>);
        for Case(json, oldest) in [
            Case(r#"{"organizationId":"a"}"#, Some("a")),
            Case(
                r#"{"organizations":[
                    {"organizationId":"c"},
                    {"organizationId":"b","organizationCreatedAt":"2024-02-01T00:00:00Z"},
                    {"organizationId":"a","organizationCreatedAt":"2024-01-01T00:00:00Z","x":1}]}"#,
                Some("a"),
            ),
            Case(r#"{"organizations":[]}"#, None),
        ] {
            let organizations: Organizations = serde_json::from_str(json).unwrap();
            assert_eq!(organizations.oldest(), oldest);
        }
    }

    #[test]
    fn workspaces_may_come_bare_and_are_written_wrapped() {
        let list: WorkspaceList = serde_json::from_str(r#"[{"id":"w","name":"n","k":0}]"#).unwrap();
        assert_eq!(
            serde_json::to_string(&list).unwrap(),
            r#"{"workspaces":[{"id":"w","name":"n"}]}"#
        );
    }
}
