//! What a person at the server does with whole tables: shelters in, messages out. The same whether
//! siaga runs, and is asked over its local socket, or not.

use std::sync::Arc;

use super::board::BoardKeeper;
use super::knowledge::Knowledge;
use super::reload::Reloadable;
use crate::dialog::place::{self, PlaceWord, Role};
use crate::domain::area::AreaCode;
use crate::domain::gazetteer::Gazetteer;
use crate::feed::shelters::{Refused, Table};
use crate::feed::{messages, shelters};
use crate::store::engine::EngineError;
use crate::store::{Store, StoreError};

/// Room on the disk that is kept for messages once the store's reserve is given up.
const ROOM_BYTES: u64 = 16 * 1024 * 1024;

/// The desk of a running siaga.
#[derive(Debug)]
pub struct Desk {
    store: Arc<Store>,
    knowledge: Arc<Reloadable<Knowledge>>,
    board: Arc<BoardKeeper>,
}

/// What came of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Rows taken. They replace all before; where there is none, nothing changed.
    pub taken: usize,
    /// Rows that cannot be used.
    pub refused: Vec<Refused>,
}

/// Some of the messages, a line each, and where to go on.
#[derive(Debug)]
pub struct Lines {
    /// The lines; there may be none.
    pub text: String,
    /// Where the next ones begin; `None` behind the last.
    pub next: Option<u64>,
}

impl Desk {
    /// The desk of what runs.
    pub fn new(
        store: Arc<Store>,
        knowledge: Arc<Reloadable<Knowledge>>,
        board: Arc<BoardKeeper>,
    ) -> Self {
        Self {
            store,
            knowledge,
            board,
        }
    }

    /// Replaces all shelters by those of a table; phones are answered from them once this is done.
    pub async fn import_shelters(&self, table: Vec<u8>) -> Result<Imported, StoreError> {
        let known = self.knowledge.current();
        let reading = tokio::task::spawn_blocking(move || read_shelters(&table, &known.gazetteer));
        // A table whose reading ended by a fault of the program is not taken.
        let table = reading.await.map_err(|_| StoreError::Corrupt)?;
        let imported = put_shelters(&self.store, table).await?;
        self.board.refresh().await?;
        Ok(imported)
    }

    /// A page of all messages, from a cursor that begins at 0.
    pub async fn messages(&self, cursor: u64) -> Result<Lines, StoreError> {
        message_lines(&self.store, cursor).await
    }
}

/// Reads a table of shelters; their areas are codes or names.
pub fn read_shelters(table: &[u8], gazetteer: &Gazetteer) -> Table {
    shelters::read(table, |typed| area(gazetteer, typed))
}

/// Replaces all shelters by those of a table, if it has any.
pub async fn put_shelters(store: &Store, table: Table) -> Result<Imported, StoreError> {
    let taken = table.shelters.len();
    if taken > 0 {
        has_room(store).await?;
        store.put_shelters(table.shelters).await?;
    }
    Ok(Imported {
        taken,
        refused: table.refused,
    })
}

/// A page of all messages that a store keeps.
pub async fn message_lines(store: &Store, cursor: u64) -> Result<Lines, StoreError> {
    if cursor == 0 {
        has_room(store).await?;
    }
    let page = store.messages(cursor).await?;
    let lines = page
        .messages
        .iter()
        .map(|kept| messages::line(&kept.inbound, &kept.outcome, kept.reply.as_deref()));
    Ok(Lines {
        text: lines.collect(),
        next: page.next,
    })
}

/// On a disk that is full, what room there is belongs to messages: tables wait.
async fn has_room(store: &Store) -> Result<(), StoreError> {
    let health = store.health().await?;
    let scarce = health.free_bytes.is_some_and(|free| free < ROOM_BYTES);
    if health.reserve_spent && scarce {
        return Err(EngineError::Full.into());
    }
    Ok(())
}

/// The area of a code, or of names as people write them: `Masaran, Kec Munjungan`.
fn area(gazetteer: &Gazetteer, typed: &str) -> Option<AreaCode> {
    if let Some(code) = AreaCode::parse(typed) {
        return gazetteer.name(code).map(|_| code);
    }
    let upper = typed.to_uppercase();
    let words = upper
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    let words: Vec<PlaceWord<'_>> = words
        .map(|text| PlaceWord {
            text,
            role: Role::Free,
            parted: false,
        })
        .collect();
    place::find(gazetteer, &words).place.area()
}
