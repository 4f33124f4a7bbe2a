use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use serde_json::Value;
use straylight_core::Project;
use straylight_geti::wire::{Condition, ErrorCode, MAX_PAGE_LIMIT, MediaPage, MediaQuery, Rule};
use straylight_store::{ImageFilter, ImageSort, Page, Review, SortDirection};

use super::extract::{Ids, Query, Raw, parse_json};
use super::{ApiError, ApiResult, lookup, render};
use crate::app::{App, Shared};

/// What a query asks for. Single frames of videos are never listed.
struct Wanted {
    images: bool,
    videos: bool,
    filter: ImageFilter,
}

/// `POST .../media:query`: images, then videos, by rules, page by page.
pub(super) async fn query(
    State(app): State<Shared>,
    ids: Ids,
    query: Query,
    uri: Uri,
    Raw(body): Raw,
) -> ApiResult<Json<MediaPage>> {
    let limit = query.number("limit", MAX_PAGE_LIMIT.into(), (1, MAX_PAGE_LIMIT.into()))?;
    let skip = query.number("skip", 0, (0, i64::MAX as u64))?;
    let sort = sort(&query)?;
    let rules = if body.is_empty() {
        MediaQuery {
            condition: Condition::And,
            rules: Vec::new(),
        }
    } else {
        parse_json(&body)?
    };
    let path = uri.path().to_owned();
    let sort_query = format!("sort_by={}&sort_direction={}", sort.2, sort.3);
    let page = app
        .run(move |app| {
            let (project, dataset) = lookup::dataset(app, &ids)?;
            let wanted = filter(&project, &rules)?;
            let page = Page { skip, limit };
            find(app, &project, &dataset.id, &wanted, (sort.0, sort.1), page)
        })
        .await?;
    Ok(Json(with_next(
        page,
        &path,
        &sort_query,
        Page { skip, limit },
    )))
}

fn with_next(mut page: MediaPage, path: &str, sort: &str, asked: Page) -> MediaPage {
    let end = asked.skip.saturating_add(page.media.len() as u64);
    let total = page.total_matched_images + page.total_matched_videos;
    if end < total && !page.media.is_empty() {
        let limit = asked.limit;
        page.next_page = Some(format!("{path}?limit={limit}&skip={end}&{sort}"));
    }
    page
}

fn find(
    app: &App,
    project: &Project,
    dataset: &str,
    wanted: &Wanted,
    sort: (ImageSort, SortDirection),
    page: Page,
) -> ApiResult<MediaPage> {
    let total = |name: &str| app.store.videos(dataset, name, sort.1, Page::first(0));
    let mut answer = MediaPage {
        total_images: app.store.count_images(dataset, &ImageFilter::default())?,
        total_videos: total("")?.total,
        ..MediaPage::default()
    };
    if wanted.images {
        let found = app.store.images(dataset, &wanted.filter, sort, page)?;
        let images = found.images.iter();
        answer.media = images.map(|i| render::media(app, project, i)).collect();
        answer.total_matched_images = found.total;
    }
    if wanted.videos {
        let rest = Page {
            skip: page.skip.saturating_sub(answer.total_matched_images),
            limit: page.limit - answer.media.len() as u64,
        };
        let name = wanted.filter.name.as_deref().unwrap_or_default();
        let found = app.store.videos(dataset, name, sort.1, rest)?;
        let videos = found.videos.iter();
        let videos = videos.map(|v| render::video(app, project, v));
        answer.media.extend(videos);
        answer.total_matched_videos = found.total;
    }
    Ok(answer)
}

/// The sort with the words that said it.
fn sort(query: &Query) -> ApiResult<(ImageSort, SortDirection, &'static str, &'static str)> {
    let by = query.text("sort_by").unwrap_or("media_name").to_lowercase();
    let known = [
        ("media_name", ImageSort::Name),
        ("media_upload_date", ImageSort::UploadedAt),
        ("media_width", ImageSort::Width),
        ("media_height", ImageSort::Height),
        ("media_size", ImageSort::Size),
        ("annotation_creation_date", ImageSort::AnnotatedAt),
        ("ood_score", ImageSort::OodScore),
        ("uncertainty", ImageSort::Uncertainty),
        ("capture_time", ImageSort::CapturedAt),
    ];
    let found = known.into_iter().find(|(name, _)| *name == by);
    let (name, sort) = found.ok_or_else(|| ApiError::bad("`sort_by` is no known field"))?;
    match query
        .text("sort_direction")
        .unwrap_or("asc")
        .to_lowercase()
        .as_str()
    {
        "asc" => Ok((sort, SortDirection::Ascending, name, "asc")),
        "dsc" | "desc" => Ok((sort, SortDirection::Descending, name, "dsc")),
        _ => Err(ApiError::bad("`sort_direction` is `asc` or `dsc`")),
    }
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(ErrorCode::InvalidFilter, message)
}

/// Turns the rules into a filter; what cannot be expressed is refused, never ignored.
fn filter(project: &Project, query: &MediaQuery) -> ApiResult<Wanted> {
    if query.condition == Condition::Or && query.rules.len() > 1 {
        return Err(invalid("Rules can only be joined by `and` here"));
    }
    let mut wanted = Wanted {
        images: true,
        videos: true,
        filter: ImageFilter::default(),
    };
    for rule in &query.rules {
        apply(project, &mut wanted, rule)?;
    }
    let mut by_name = ImageFilter::default();
    by_name.name.clone_from(&wanted.filter.name);
    if wanted.filter != by_name {
        if !wanted.images {
            return Err(invalid("Videos can be found by their names only"));
        }
        // Labels, scores and hooks are of images.
        wanted.videos = false;
    }
    Ok(wanted)
}

/// Adds one rule to what is wanted.
fn apply(project: &Project, wanted: &mut Wanted, rule: &Rule) -> ApiResult<()> {
    let filter = &mut wanted.filter;
    let (field, operator) = (rule.field.to_uppercase(), rule.operator.to_uppercase());
    match (field.as_str(), operator.as_str()) {
        ("MEDIA_TYPE", "EQUAL" | "IN") => {
            wanted.images &= texts(&rule.value).any(|kind| kind == "image");
            wanted.videos &= texts(&rule.value).any(|kind| kind == "video");
        }
        ("MEDIA_TYPE", "NOT_EQUAL") => {
            wanted.images &= texts(&rule.value).all(|kind| kind != "image");
            wanted.videos &= texts(&rule.value).all(|kind| kind != "video");
        }
        ("MEDIA_NAME", "CONTAINS" | "EQUAL") => filter.name = text(&rule.value)?,
        ("LABEL_ID", "EQUAL" | "IN") => filter.label = Some(label(project, &rule.value)?),
        ("ANNOTATION_SCENE_STATE", "EQUAL") => {
            let state = text(&rule.value)?.unwrap_or_default().to_uppercase();
            filter.annotated = Some(state == "ANNOTATED");
        }
        ("HOOK", "EQUAL") => filter.hook = text(&rule.value)?,
        ("SOURCE", "EQUAL") => filter.source = text(&rule.value)?,
        ("REVIEW", "EQUAL") => filter.review = Some(review(&rule.value)?),
        ("REASON", "CONTAINS") => filter.reason = text(&rule.value)?,
        ("OOD_SCORE", "GREATER_OR_EQUAL") => filter.min_score = rule.value.as_f64(),
        ("OOD_SCORE", "LESS_OR_EQUAL") => filter.max_score = rule.value.as_f64(),
        _ => return Err(invalid(format!("`{field} {operator}` is no known rule"))),
    }
    Ok(())
}

/// A text, or the texts of a list, in lower case.
fn texts(value: &Value) -> impl Iterator<Item = String> {
    let one = value.as_str().into_iter();
    let many = value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    one.chain(many).map(str::to_lowercase)
}

fn text(value: &Value) -> ApiResult<Option<String>> {
    let text = value
        .as_str()
        .ok_or_else(|| invalid("A rule's value must be a text"))?;
    Ok(Some(text.to_owned()))
}

fn review(value: &Value) -> ApiResult<Review> {
    let word = value.as_str().unwrap_or_default().to_lowercase();
    let review = Review::from_name(&word);
    review.ok_or_else(|| invalid("`REVIEW` is `open`, `accepted` or `rejected`"))
}

fn label(project: &Project, value: &Value) -> ApiResult<String> {
    let mut ids = texts(value);
    let (Some(id), None) = (ids.next(), ids.next()) else {
        return Err(invalid("A rule can name one label"));
    };
    let labels = lookup::label_names(project);
    let label = labels.get(id.as_str());
    let label = label.ok_or_else(|| ApiError::new(ErrorCode::LabelNotFound, "No such label"))?;
    Ok(label.name.clone())
}
