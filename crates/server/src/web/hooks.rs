use axum::Router;
use axum::extract::State;
use axum::routing::get;
use maud::{Markup, html};

use super::layout;
use crate::app::Shared;
use crate::predictor::HookStatus;

pub(super) fn routes() -> Router<Shared> {
    Router::new().route("/hooks", get(show))
}

async fn show(State(app): State<Shared>) -> Markup {
    let hooks = app.models.hooks();
    layout::page(
        "Hooks",
        &html! {
            h1 { "Hooks" }
            p.dim { "The hooks of the deployments that are loaded, with what they did since." }
            @if hooks.is_empty() {
                p.empty { "No deployment with hooks is loaded yet. It is loaded when the first image is predicted." }
            } @else {
                div.scroll tabindex="0" role="region" aria-label="Table" { table {
                    thead { tr { th { "Hook" } th.number { "Seen" } th.number { "Fired" } th.number { "Done" }
                        th.number { "Failed tries" } th.number { "Dropped" } th.number { "Waiting" } th.number { "Given up" } } }
                    tbody { @for hook in &hooks { (row(hook)) } }
                } }
                @for hook in hooks.iter().filter(|h| !h.dead_letters.is_empty()) { (dead_letters(hook)) }
            }
        },
    )
}

fn row(hook: &HookStatus) -> Markup {
    html! { tr {
        td { strong { (hook.name) } br; span.dim { (hook.description) } }
        td.number { (hook.seen) } td.number { (hook.fired) } td.number { (hook.succeeded) }
        td.number { (hook.failed) } td.number { (hook.dropped) } td.number { (hook.queued) }
        td.number { (hook.dead_letters.len()) }
    } }
}

fn dead_letters(hook: &HookStatus) -> Markup {
    html! {
        h2 { "Given up by " (hook.name) }
        ul { @for letter in &hook.dead_letters { li { (letter) } } }
    }
}
