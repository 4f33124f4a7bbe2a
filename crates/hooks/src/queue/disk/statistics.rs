use rusqlite::{Connection, Transaction, params};

use super::row;
use crate::queue::journal_changes::{Fate, Forgotten};
use crate::queue::{DropReason, Totals};

/// The accounts that only grow.
pub(in crate::queue) fn totals(connection: &Connection) -> rusqlite::Result<Totals> {
    let mut totals = Totals::default();
    let mut query = connection.prepare("SELECT name, count FROM totals")?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let (name, count): (String, i64) = (row.get(0)?, row.get(1)?);
        let count = count.max(0) as u64;
        match name.as_str() {
            "fired" => totals.fired = count,
            "delivered" => totals.delivered = count,
            _ => {
                let reason = DropReason::ALL
                    .into_iter()
                    .find(|reason| reason.as_str() == name);
                totals.dropped.extend(reason.map(|reason| (reason, count)));
            }
        }
    }
    Ok(totals)
}

/// Adds to one count of the statistics.
pub(super) fn add(
    transaction: &Transaction<'_>,
    account: &str,
    count: i64,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO totals (name, count) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET count = count + ?2",
        )?
        .execute(params![account, count])?;
    Ok(())
}

pub(super) fn remove(transaction: &Transaction<'_>, forgotten: Forgotten) -> rusqlite::Result<()> {
    if forgotten.fate == Fate::Expected {
        return row::unexpect(transaction, forgotten.id);
    }
    // An event that was held and has fired meanwhile is another's affair.
    let mut delete =
        transaction.prepare_cached("DELETE FROM events WHERE id = ?1 AND held = ?2")?;
    let is_held = forgotten.fate == Fate::Released;
    if delete.execute(params![forgotten.id.to_string(), is_held])? == 0 {
        return Ok(());
    }
    match forgotten.fate {
        Fate::Delivered => add(transaction, "delivered", 1),
        Fate::Dropped(reason) => add(transaction, reason.as_str(), 1),
        Fate::Undone => add(transaction, "fired", -1),
        Fate::Released | Fate::Expected => Ok(()),
    }
}
