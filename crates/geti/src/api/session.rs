use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::pages::{self, Cursor, Page, Paging};
use super::{ProjectApi, ServerVersion};
use crate::clock::{Clock, SystemClock};
use crate::error::{ErrorKind, GetiError};
use crate::http::{Request, RetryPolicy, Target, Transport, encode};
use crate::settings::ServerDetails;
use crate::wire::{
    Balance, NewProject, Organizations, ProductInfo, Project, ProjectList, Workspace, WorkspaceList,
};

/// How long a page of projects is; the SDK asks for as many.
const PROJECTS_A_PAGE: u64 = 50;

/// How the client behaves.
#[derive(Clone)]
pub struct ClientOptions {
    /// How often and how patiently requests are repeated.
    pub retry: RetryPolicy,
    /// How long a server may take to begin an answer, and for each further part of it.
    ///
    /// Uploads may take twice as long, packing of a deployment ten times.
    pub patience: Duration,
    /// How many transfers run at once, at least 1.
    pub threads: usize,
    /// How many media are asked for at once, 1 to 1000.
    pub media_a_page: u32,
    /// Time and chance.
    pub clock: Arc<dyn Clock>,
}

impl Default for ClientOptions {
    /// Five attempts, one minute of patience, eight transfers at once, 1000 media a page, the machine's clock.
    fn default() -> Self {
        Self {
            retry: RetryPolicy::default(),
            patience: Duration::from_secs(60),
            threads: 8,
            media_a_page: crate::wire::MAX_PAGE_LIMIT,
            clock: Arc::new(SystemClock::default()),
        }
    }
}

/// A session with a Geti server.
///
/// Cheap to clone; all clones share one pool of connections and may be used from any thread.
/// Every call blocks until it has an answer or an error; no call waits without end.
#[derive(Clone)]
pub struct Geti {
    session: Arc<Session>,
}

struct Session {
    transport: Transport,
    options: ClientOptions,
    version: ServerVersion,
    organization: String,
    workspace: String,
}

impl Geti {
    /// Opens a session: asks for the version, the organization and the workspace.
    ///
    /// # Errors
    /// [`ErrorKind::Settings`] if the details are wrong or the account has several workspaces
    /// and none was chosen; [`ErrorKind::Login`] if the token is not valid.
    pub fn connect(details: &ServerDetails) -> Result<Self, GetiError> {
        Self::connect_with(details, ClientOptions::default())
    }

    /// Opens a session that behaves as the options say.
    pub fn connect_with(
        details: &ServerDetails,
        options: ClientOptions,
    ) -> Result<Self, GetiError> {
        let transport = Transport::new(details, &options)?;
        let version = product_version(&transport)?.supported()?;
        let organization = organization(&transport)?;
        let workspace = match &details.workspace_id {
            Some(id) => id.clone(),
            None => only_workspace(&transport, &organization)?,
        };
        let session = Session {
            transport,
            options,
            version,
            organization,
            workspace,
        };
        Ok(Self {
            session: Arc::new(session),
        })
    }

    /// The server's address, without secrets.
    pub fn host(&self) -> String {
        self.session.transport.base().as_text()
    }

    /// The version that the server says it has.
    pub fn version(&self) -> &ServerVersion {
        &self.session.version
    }

    /// Identifier of the organization.
    pub fn organization_id(&self) -> &str {
        &self.session.organization
    }

    /// Identifier of the workspace.
    pub fn workspace_id(&self) -> &str {
        &self.session.workspace
    }

    /// The account's credits; `None` if the server has no credit system.
    pub fn balance(&self) -> Result<Option<Balance>, GetiError> {
        let path = format!("organizations/{}/balance", encode(self.organization_id()));
        self.transport().run(&Request::get(path), |answer| {
            if answer.status() == 204 || answer.content_type() != "application/json" {
                return Ok(None);
            }
            let bytes = answer.into_bytes(64 * 1024)?;
            Ok(serde_json::from_slice(&bytes).ok())
        })
    }

    /// All projects of the workspace, without their datasets.
    pub fn projects(&self) -> Result<Vec<Project>, GetiError> {
        let limit = PROJECTS_A_PAGE;
        pages::read_all(
            "projects",
            Paging::BySkip,
            limit,
            |p: &Project| &p.id,
            |cursor| {
                let Cursor::Skip(skip) = cursor else {
                    return Err(unexpected_link());
                };
                let path = self.workspace_path(&format!("projects?limit={limit}&skip={skip}"));
                let list: ProjectList = self.transport().json(&Request::get(path))?;
                Ok(Page {
                    items: list.projects,
                    total: list.project_counts,
                    next: None,
                })
            },
        )
    }

    /// The project of this name with its datasets; `None` if there is none.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] if several projects have the name: a server allows that.
    pub fn project_named(&self, name: &str) -> Result<Option<Project>, GetiError> {
        let mut matching: Vec<Project> = self.projects()?;
        matching.retain(|project| project.name == name);
        match matching.as_slice() {
            [] => Ok(None),
            [project] => self.project(&project.id).map(Some),
            several => {
                let ids: Vec<&str> = several.iter().map(|p| p.id.as_str()).collect();
                let message = format!("{} projects are named `{name}`", ids.len());
                Err(GetiError::new(ErrorKind::Conflict, message)
                    .with_hint(format!("use an identifier: {}", ids.join(", "))))
            }
        }
    }

    /// The project of this identifier with its datasets.
    pub fn project(&self, id: &str) -> Result<Project, GetiError> {
        self.transport().json(&Request::get(self.project_path(id)))
    }

    /// Creates a project and waits until it can be used.
    pub fn create_project(&self, project: &NewProject) -> Result<Project, GetiError> {
        let request = Request::post(self.workspace_path("projects")).json(project)?;
        let created: Project = self.transport().json(&request)?;
        self.at(&created.id).wait_until_ready()?;
        Ok(created)
    }

    /// Deletes a project with all that is in it; one that is gone already is no error.
    pub fn delete_project(&self, id: &str) -> Result<(), GetiError> {
        gone_is_deleted(
            self.transport()
                .done(&Request::delete(self.project_path(id))),
        )
    }

    /// The calls for one project.
    pub fn at(&self, project_id: &str) -> ProjectApi {
        ProjectApi::new(self.clone(), project_id.to_owned())
    }

    pub(crate) fn transport(&self) -> &Transport {
        &self.session.transport
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.session.transport.clock().as_ref()
    }

    pub(crate) fn options(&self) -> &ClientOptions {
        &self.session.options
    }

    /// The path of something in the workspace.
    pub(crate) fn workspace_path(&self, rest: &str) -> String {
        let (organization, workspace) = (self.organization_id(), self.workspace_id());
        format!(
            "organizations/{}/workspaces/{}/{rest}",
            encode(organization),
            encode(workspace)
        )
    }

    pub(crate) fn project_path(&self, id: &str) -> String {
        self.workspace_path(&format!("projects/{}", encode(id)))
    }

    /// Where an address goes that the server wrote; only its own are followed.
    pub(crate) fn own_target(&self, url: &str) -> Result<Target, GetiError> {
        match self.transport().base().target(url) {
            Target::Elsewhere(_) => Err(GetiError::new(
                ErrorKind::Redirect,
                "the server names an address that is not its own",
            )),
            target => Ok(target),
        }
    }
}

impl fmt::Debug for Geti {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Geti({}, version {})", self.host(), self.version())
    }
}

/// A deletion that finds nothing was done already, perhaps by an attempt whose answer was lost.
pub(crate) fn gone_is_deleted(result: Result<(), GetiError>) -> Result<(), GetiError> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

fn unexpected_link() -> GetiError {
    GetiError::new(ErrorKind::Pages, "the list changed its way of paging")
}

fn product_version(transport: &Transport) -> Result<ServerVersion, GetiError> {
    let info: ProductInfo = transport.json(&Request::get("product_info"))?;
    let text = info.build_version.or(info.product_version);
    let text = text.ok_or_else(|| {
        GetiError::new(ErrorKind::Answer, "the server does not say its version")
            .with_hint("HOST may not be a Geti server")
    })?;
    text.parse()
}

fn organization(transport: &Transport) -> Result<String, GetiError> {
    let request = Request::get("personal_access_tokens/organization");
    let organizations: Organizations = transport.json(&request)?;
    organizations.oldest().map(str::to_owned).ok_or_else(|| {
        GetiError::new(ErrorKind::Login, "the token belongs to no organization")
            .with_hint("make a new personal access token on the server")
    })
}

fn only_workspace(transport: &Transport, organization: &str) -> Result<String, GetiError> {
    let path = format!("organizations/{}/workspaces", encode(organization));
    let list: WorkspaceList = transport.json(&Request::get(path))?;
    let workspaces = list.into_vec();
    match workspaces.as_slice() {
        [workspace] => Ok(workspace.id.clone()),
        [] => Err(GetiError::new(
            ErrorKind::Login,
            "the account has no workspace",
        )),
        several => Err(several_workspaces(several)),
    }
}

fn several_workspaces(workspaces: &[Workspace]) -> GetiError {
    let names: Vec<String> = workspaces
        .iter()
        .map(|w| format!("{} ({})", w.name, w.id))
        .collect();
    let message = format!("the account has {} workspaces", names.len());
    GetiError::new(ErrorKind::Settings, message)
        .with_hint(format!("set WORKSPACE_ID to one of: {}", names.join(", ")))
}
