use rusqlite::{OptionalExtension, Row, params};
use straylight_core::Timestamp;

use crate::clock::{from_micros, to_micros};
use crate::error::StoreError;
use crate::id::object_id;
use crate::store::Store;

/// What the store keeps of an access token: never the token, only its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRecord {
    /// Identifier, by which it is revoked.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// 256-bit hash of the token.
    pub hash: [u8; 32],
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends, if it does.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
}

/// The greatest length of a token's name in characters.
const MAX_NAME: usize = 200;
/// The time of the last use is written down at most so often.
const USE_STEP_MICROS: i64 = 60_000_000;

impl Store {
    /// Keeps the hash of a new token.
    pub fn add_token(
        &self,
        name: &str,
        hash: [u8; 32],
        expires_at: Option<Timestamp>,
    ) -> Result<TokenRecord, StoreError> {
        check_name(name)?;
        let now = self.clock().now();
        let id = object_id(now)?;
        self.db().write(|db| {
            db.execute(
                "INSERT INTO token (id, name, hash, created_at, expires_at)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![id, name, hash, to_micros(now), expires_at.map(to_micros)],
            )?;
            let query = "SELECT * FROM token WHERE id = ?1";
            Ok(db.query_row(query, [&id], read)?)
        })
    }

    /// All tokens, the oldest first.
    pub fn tokens(&self) -> Result<Vec<TokenRecord>, StoreError> {
        self.db().read(|db| {
            let mut rows = db.prepare_cached("SELECT * FROM token ORDER BY created_at, id")?;
            let tokens = rows.query_map([], read)?;
            Ok(tokens.collect::<Result<_, _>>()?)
        })
    }

    /// Notes that a token was used; written at most once a minute.
    pub fn touch_token(&self, token: &TokenRecord) -> Result<(), StoreError> {
        let now = to_micros(self.clock().now());
        let last = token.last_used_at.map_or(i64::MIN, to_micros);
        if now.saturating_sub(last) < USE_STEP_MICROS {
            return Ok(());
        }
        self.db().write(|db| {
            let row = params![token.id, now];
            db.execute("UPDATE token SET last_used_at = ?2 WHERE id = ?1", row)?;
            Ok(())
        })
    }

    /// Takes a token away, by its identifier or, when only one has it, its name.
    pub fn revoke_token(&self, id_or_name: &str) -> Result<TokenRecord, StoreError> {
        self.db().write(|db| {
            let query = "DELETE FROM token WHERE id = ?1 OR (name = ?1 AND
                         (SELECT count(*) FROM token WHERE name = ?1) = 1) RETURNING *";
            let revoked = db.query_row(query, [id_or_name], read).optional()?;
            Ok(revoked.ok_or_else(|| StoreError::not_found("token", id_or_name))?)
        })
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<TokenRecord> {
    Ok(TokenRecord {
        id: row.get("id")?,
        name: row.get("name")?,
        hash: row.get("hash")?,
        created_at: from_micros(row.get("created_at")?),
        expires_at: row.get::<_, Option<i64>>("expires_at")?.map(from_micros),
        last_used_at: row.get::<_, Option<i64>>("last_used_at")?.map(from_micros),
    })
}

fn check_name(name: &str) -> Result<(), StoreError> {
    if (1..=MAX_NAME).contains(&name.trim().chars().count()) {
        return Ok(());
    }
    Err(StoreError::BadName {
        what: "token name",
        value: name.chars().take(40).collect(),
        limit: MAX_NAME,
    })
}
