//! Bytes kept under their SHA-256.

use sea_orm::entity::prelude::*;

use crate::id::{AccountId, StoredFileId};

/// Bytes kept under their SHA-256.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "stored_file")]
pub struct Model {
    /// Identifier.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: StoredFileId,
    /// Hex digest of the bytes as received.
    #[sea_orm(column_type = "String(StringLen::N(64))")]
    pub sha256: String,
    /// Bytes.
    pub size: i64,
    /// Type found by looking at the bytes.
    #[sea_orm(column_type = "String(StringLen::N(96))")]
    pub media_type: String,
    /// Name given by the uploader.
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub name: String,
    /// When a picture says it was taken.
    pub captured_at: Option<DateTimeUtc>,
    /// Where a picture says it was taken, degrees north.
    pub latitude: Option<f64>,
    /// Where a picture says it was taken, degrees east.
    pub longitude: Option<f64>,
    /// Digest of the copy without such details, for everyone but the verifier.
    #[sea_orm(column_type = "String(StringLen::N(64))", nullable)]
    pub copy_sha256: Option<String>,
    /// Who sent it.
    pub uploaded_by: Option<AccountId>,
    /// When.
    pub uploaded_at: DateTimeUtc,
    /// Until when it waits to be attached; absent once attached.
    pub expires_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
