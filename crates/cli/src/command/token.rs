//! `straylight token`: who may use the local server.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;
use straylight::Timestamp;
use straylight::server::{create_login_code, create_token_for};
use straylight::store::{Role, Store, TokenRecord};

use crate::command::platform::there_is_a_store;
use crate::exit::{Exit, Outcome};
use crate::output;

/// Arguments of `straylight token`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  straylight token create laptop
  straylight token create camera-3 --role collect
  straylight token login
  straylight token list
  straylight token revoke laptop")]
pub(crate) struct Arguments {
    /// Folder of the local store.
    #[arg(
        long,
        env = "STRAYLIGHT_STORE",
        default_value = "straylight-store",
        global = true
    )]
    store: PathBuf,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a token and print it, once.
    Create {
        /// What to call it.
        name: String,
        /// When it ends, as 2027-01-31T00:00:00Z; never by default.
        #[arg(long)]
        expires: Option<Timestamp>,
        /// What it allows: `collect` (add and predict images), `review` (look, label, decide as
        /// well), `administer` (everything).
        #[arg(long, default_value = "administer")]
        role: Role,
    },
    /// Print a new link that logs a browser in, once, within ten minutes.
    Login,
    /// List all tokens; their text is not kept and cannot be shown.
    List,
    /// Take a token's rights away.
    Revoke {
        /// Its name or identifier.
        token: String,
    },
}

/// Makes, lists or revokes.
pub(crate) fn run(arguments: &Arguments) -> Outcome {
    if !matches!(arguments.what, What::Create { .. }) {
        there_is_a_store(&arguments.store)?;
    }
    let store = Store::open(&arguments.store)?;
    let as_json = arguments.json;
    match &arguments.what {
        What::Create {
            name,
            expires,
            role,
        } => {
            let token = create_token_for(&store, name, *role, *expires)?;
            let value = json!({ "name": name, "role": role.as_str(), "token": token.reveal() });
            output::answer(as_json, token.reveal(), &value)?;
        }
        What::Login => {
            let link = create_login_code(&store)?;
            output::answer(as_json, &link, &json!({ "link": link }))?;
        }
        What::List if as_json => {
            let tokens: Vec<_> = store.tokens()?.iter().map(described).collect();
            output::json(&tokens, "-".as_ref())?;
        }
        What::List => {
            for token in store.tokens()? {
                output::line(&as_text(&token));
            }
        }
        What::Revoke { token } => {
            let revoked = store.revoke_token(token)?;
            let text = format!("{} is revoked", revoked.name);
            output::answer(as_json, &text, &described(&revoked))?;
        }
    }
    Ok(Exit::Success)
}

fn described(token: &TokenRecord) -> serde_json::Value {
    json!({
        "id": token.id,
        "name": token.name,
        "role": token.role.as_str(),
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
    })
}

fn as_text(token: &TokenRecord) -> String {
    let time = |time: Option<Timestamp>| time.map_or("never".to_owned(), |time| time.to_string());
    format!(
        "{}  {}  {}  made {}, ends {}, last used {}",
        token.id,
        token.name,
        token.role,
        token.created_at,
        time(token.expires_at),
        time(token.last_used_at)
    )
}
