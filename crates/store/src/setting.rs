use rusqlite::{OptionalExtension, params};
use serde_json::Value;

use crate::error::StoreError;
use crate::store::Store;

impl Store {
    /// A setting of a scope: a project's identifier, or empty for the whole store.
    pub fn setting(&self, scope: &str, key: &str) -> Result<Option<Value>, StoreError> {
        self.db().read(|db| {
            let query = "SELECT json FROM setting WHERE scope = ?1 AND key = ?2";
            let mut statement = db.prepare_cached(query)?;
            let text = statement.query_row([scope, key], |row| row.get::<_, String>(0));
            let value = text.optional()?.map(|text| serde_json::from_str(&text));
            Ok(value.transpose()?)
        })
    }

    /// Writes a setting of a scope.
    pub fn set_setting(&self, scope: &str, key: &str, value: &Value) -> Result<(), StoreError> {
        self.db().write(|db| {
            db.execute(
                "INSERT INTO setting (scope, key, json) VALUES (?1, ?2, ?3)
                 ON CONFLICT (scope, key) DO UPDATE SET json = excluded.json",
                params![scope, key, value.to_string()],
            )?;
            Ok(())
        })
    }

    /// Removes a setting of a scope if it has this value; whether it had. Of several who try at
    /// the same time one succeeds.
    pub fn remove_setting(
        &self,
        scope: &str,
        key: &str,
        value: &Value,
    ) -> Result<bool, StoreError> {
        self.db().write(|db| {
            let row = params![scope, key, value.to_string()];
            let query = "DELETE FROM setting WHERE scope = ?1 AND key = ?2 AND json = ?3";
            Ok(db.execute(query, row)? > 0)
        })
    }
}
