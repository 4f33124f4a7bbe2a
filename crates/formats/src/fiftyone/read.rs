use super::{WANTED, labels, samples};
use crate::gather::{Gather, nothing};
use crate::{Format, FormatError, json, sniff};

pub(crate) fn read(gather: &mut Gather<'_>) -> Result<(), FormatError> {
    let mut found = false;
    let files = gather.with_extension("json")?;
    for path in gather.chosen(files) {
        let Some(text) = gather.text(&path) else {
            continue;
        };
        let (text, _) = json::without_nan(&text);
        let place = gather.place(&path);
        let read = match sniff::json_kind(&text) {
            Ok(sniff::Json::FiftyOne) => labels::read(gather, &path, &text, &place),
            Ok(sniff::Json::FiftyOneDataset) => samples::read(gather, &path, &text, &place),
            Ok(_) => continue,
            Err(error) => Err(error.to_string()),
        };
        found = true;
        if let Err(error) = read {
            gather.problem(place, error);
        }
    }
    if found {
        Ok(())
    } else {
        Err(nothing(gather, Format::FiftyOne, WANTED))
    }
}
