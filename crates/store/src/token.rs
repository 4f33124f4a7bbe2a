use std::fmt;
use std::str::FromStr;

use rusqlite::types::Type;
use rusqlite::{OptionalExtension, Row, params};
use straylight_core::Timestamp;

use crate::clock::{from_micros, to_micros};
use crate::error::StoreError;
use crate::id::object_id;
use crate::store::Store;

/// What a token allows; each role allows what those before it do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Role {
    /// Adding images and predicting them, as a camera does.
    Collect,
    /// Looking at what was collected, labelling and deciding.
    Review,
    /// Everything.
    #[default]
    Administer,
}

impl Role {
    /// Every role, the weakest first.
    pub const ALL: [Self; 3] = [Self::Collect, Self::Review, Self::Administer];

    /// The name in commands, messages and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Collect => "collect",
            Self::Review => "review",
            Self::Administer => "administer",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|role| role.as_str() == text);
        found.ok_or_else(|| format!("`{text}` is no role: collect, review or administer"))
    }
}

/// What the store keeps of an access token: never the token, only its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRecord {
    /// Identifier, by which it is revoked.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it allows.
    pub role: Role,
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
        role: Role,
        hash: [u8; 32],
        expires_at: Option<Timestamp>,
    ) -> Result<TokenRecord, StoreError> {
        check_name(name)?;
        let now = self.clock().now();
        let id = object_id(now)?;
        self.db().write(|db| {
            db.execute(
                "INSERT INTO token (id, name, role, hash, created_at, expires_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    id,
                    name,
                    role.as_str(),
                    hash,
                    to_micros(now),
                    expires_at.map(to_micros)
                ],
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
        role: role(&row.get::<_, String>("role")?)?,
        hash: row.get("hash")?,
        created_at: from_micros(row.get("created_at")?),
        expires_at: row.get::<_, Option<i64>>("expires_at")?.map(from_micros),
        last_used_at: row.get::<_, Option<i64>>("last_used_at")?.map(from_micros),
    })
}

fn role(text: &str) -> rusqlite::Result<Role> {
    text.parse().map_err(|error: String| {
        rusqlite::Error::FromSqlConversionFailure(0, Type::Text, error.into())
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
