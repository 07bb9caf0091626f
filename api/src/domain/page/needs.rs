//! Which columns of a table a request needs. Reading the others would cost the database and the server more than the rest of
//! a list does, so that a list reads what is asked for; a table of which nothing is told is read whole.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
};

use sea_orm::{
    ColumnTrait, ColumnType, EntityTrait, FromQueryResult, IdenStatic, Iterable, ModelTrait, QueryResult,
    QuerySelect, Select, Value,
};

use crate::domain::{Ctx, Error, Result};

/// What a request needs.
#[derive(Debug, Default)]
pub struct Needs {
    /// The columns, by table.
    tables: HashMap<TypeId, Box<dyn Any + Send + Sync>>,
    /// Whether it counts no list, so that none need be kept to be counted.
    pub counts_nothing: bool,
    /// Whether it shows no cursor, so that none need be written.
    pub marks_nothing: bool,
}

/// The columns needed of one table, and a row without any.
#[derive(Clone, Debug)]
struct Need<E: EntityTrait> {
    columns: Vec<E::Column>,
    blank: E::Model,
}

impl Needs {
    /// Tells that nothing of a table but these columns is needed.
    pub fn only<E>(&mut self, columns: Vec<E::Column>)
    where
        E: EntityTrait<Model: Default + Send + Sync>,
    {
        let need = Need::<E> { columns, blank: E::Model::default() };
        self.tables.insert(TypeId::of::<E>(), Box::new(need));
    }
}

/// The columns that a statement reads of a table.
pub struct Chosen<E: EntityTrait> {
    /// Nothing where the whole table is read.
    part: Option<Part<E>>,
}

/// Some columns, each with what it holds, and a row without any.
struct Part<E: EntityTrait> {
    columns: Vec<(E::Column, ColumnType)>,
    blank: E::Model,
}

impl<E: EntityTrait> Chosen<E> {
    /// The whole table.
    pub const fn all() -> Self {
        Self { part: None }
    }

    /// What the request needs, and what the statement itself does.
    pub fn of(ctx: &Ctx, own: impl IntoIterator<Item = E::Column>) -> Self {
        let need = ctx.needs.tables.get(&TypeId::of::<E>()).and_then(|need| need.downcast_ref::<Need<E>>());
        let part = need.map(|Need { columns, blank }| {
            let mut chosen: Vec<(E::Column, ColumnType)> = Vec::with_capacity(columns.len() + 4);
            for column in columns.iter().copied().chain(own) {
                if !chosen.iter().any(|(known, _)| known.as_str() == column.as_str()) {
                    chosen.push((column, column.def().get_column_type().clone()));
                }
            }
            Part { columns: chosen, blank: blank.clone() }
        });
        Self { part }
    }

    /// The columns, in the order of the statement.
    pub fn columns(&self) -> Vec<E::Column> {
        self.part.as_ref().map_or_else(
            || E::Column::iter().collect(),
            |part| part.columns.iter().map(|(column, _)| *column).collect(),
        )
    }

    /// Narrows a statement to them.
    pub fn narrow(&self, mut select: Select<E>) -> Select<E> {
        if let Some(part) = &self.part {
            select = select.select_only().columns(part.columns.iter().map(|(column, _)| *column));
        }
        select
    }

    /// The same columns where they stand in the rows of a statement, their names behind a prefix.
    pub fn placed(self, layout: &Layout, prefix: &str) -> Result<Placed<E>> {
        let Some(Part { columns, blank }) = self.part else { return Ok(Placed::Whole(prefix.to_owned())) };
        let columns = columns
            .into_iter()
            .map(|(column, holds)| Ok((column, holds, layout.place(prefix, column.as_str())?)))
            .collect::<Result<_>>()?;
        Ok(Placed::Part { columns, blank })
    }
}

/// Where the columns of a statement's rows stand, so that no row is searched for names.
pub struct Layout(HashMap<String, usize>);

impl Layout {
    pub fn of(row: &QueryResult) -> Self {
        Self(row.column_names().into_iter().zip(0..).collect())
    }

    pub fn place(&self, prefix: &str, name: &str) -> Result<usize> {
        let found = self.0.get(&format!("{prefix}{name}")).copied();
        found.ok_or_else(|| Error::internal(format!("the statement has no column {prefix}{name}")))
    }
}

/// What a row has of a table.
pub enum Placed<E: EntityTrait> {
    /// All of it, its names behind a prefix.
    Whole(String),
    /// Some columns, each with what it holds and where it stands, and a row without any.
    Part { columns: Vec<(E::Column, ColumnType, usize)>, blank: E::Model },
}

impl<E: EntityTrait> Placed<E> {
    /// Reads a row; what was not read stays blank.
    pub fn read(&self, row: &QueryResult) -> Result<E::Model> {
        match self {
            Self::Whole(prefix) => Ok(E::Model::from_query_result(row, prefix)?),
            Self::Part { columns, blank } => {
                let mut model = blank.clone();
                for (column, holds, place) in columns {
                    model.try_set(*column, value(row, *place, holds)?)?;
                }
                Ok(model)
            }
        }
    }
}

fn value(row: &QueryResult, place: usize, holds: &ColumnType) -> Result<Value> {
    macro_rules! read {
        ($of:ty) => {
            row.try_get_by_index::<Option<$of>>(place)?.into()
        };
    }
    Ok(match holds {
        ColumnType::Uuid => read!(uuid::Uuid),
        ColumnType::String(_) | ColumnType::Text => read!(String),
        ColumnType::Integer => read!(i32),
        ColumnType::BigInteger => read!(i64),
        ColumnType::Boolean => read!(bool),
        ColumnType::Date => read!(chrono::NaiveDate),
        ColumnType::TimestampWithTimeZone => read!(chrono::DateTime<chrono::Utc>),
        other => return Err(Error::internal(format!("no column of a list holds {other:?}"))),
    })
}
