//! Organisations: recorded once, seated in many alliances. Seen by whoever shares an alliance with them, from
//! when they know each other: a unit invited by its credit code alone shows itself by accepting. This room asks no
//! register whether an organisation exists.

use concord_entities::{
    id::{AllianceId, OrganizationId, RegionId},
    membership,
    organization::{self, Kind},
    region,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, EntityTrait,
    IntoActiveModel, QueryFilter, QuerySelect, QueryTrait, Select, sea_query::SimpleExpr,
};

use crate::domain::{
    Action, Code, Ctx, Error, Event, Fact, Result, Target, Tx,
    credit_code::{CreditCode, CreditCodeError, CreditCodeWarning},
    governance::{
        alliance::{self, require_platform_admin},
        membership as memberships,
    },
    identity::authority::administers,
    page::{self, Order, Page},
    scope, text,
};

/// The organisations that hold or held a seat in an alliance the caller may see; a platform administrator sees all of them.
pub fn visible(ctx: &Ctx) -> Select<organization::Entity> {
    let mut seen = Condition::any().add(in_reach(ctx));
    if let Some(administrator) = alliance::administrator(ctx) {
        seen = seen.add(administrator);
    }
    organization::Entity::find().filter(seen)
}

/// Organisations that hold or held a seat in an alliance whose lists the caller reads.
fn in_reach(ctx: &Ctx) -> SimpleExpr {
    let seated = membership::Entity::find()
        .select_only()
        .column(membership::Column::OrganizationId)
        .filter(scope::in_alliances(ctx, membership::Column::AllianceId))
        .filter(membership::Column::IsUnitKnown.eq(true))
        .into_query();
    organization::Column::Id.in_subquery(seated)
}

/// One organisation, if the caller reads what it does in some alliance; an administrator of the platform runs alliances and reads
/// none.
pub async fn find_of_reach(ctx: &Ctx, id: OrganizationId) -> Result<Option<organization::Model>> {
    let read = organization::Entity::find().filter(in_reach(ctx));
    Ok(read.filter(organization::Column::Id.eq(id)).one(ctx.read()).await?)
}

/// One organisation, if the caller may see it.
pub async fn find(ctx: &Ctx, id: OrganizationId) -> Result<Option<organization::Model>> {
    Ok(visible(ctx).filter(organization::Column::Id.eq(id)).one(ctx.read()).await?)
}

/// Which organisations a list shows.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only holders of a seat, active or suspended, in this alliance.
    pub alliance: Option<AllianceId>,
    pub kinds: Vec<Kind>,
    pub name_contains: Option<String>,
    pub credit_code: Option<String>,
}

/// The organisations that the caller may see.
pub async fn list(
    ctx: &Ctx,
    filter: &Filter,
    order: Order<organization::Column>,
    args: &page::Args,
) -> Result<Page<organization::Entity>> {
    ctx.require_signed_in()?;
    let mut select = visible(ctx);
    if let Some(alliance) = filter.alliance {
        let seated = membership::Entity::find()
            .select_only()
            .column(membership::Column::OrganizationId)
            .filter(scope::in_alliances(ctx, membership::Column::AllianceId))
            .filter(membership::Column::AllianceId.eq(alliance))
            .filter(
                membership::Column::State.is_in([membership::State::Active, membership::State::Suspended]),
            )
            .into_query();
        select = select.filter(organization::Column::Id.in_subquery(seated));
    }
    if !filter.kinds.is_empty() {
        select = select.filter(organization::Column::Kind.is_in(filter.kinds.iter().copied()));
    }
    if let Some(part) = text::optional(filter.name_contains.as_deref(), "filter.nameContains", 200)? {
        select = select.filter(
            Condition::any()
                .add(text::contains(organization::Column::Name, &part))
                .add(text::contains(organization::Column::ShortName, &part)),
        );
    }
    if let Some(code) = text::optional(filter.credit_code.as_deref(), "filter.creditCode", 64)? {
        select = select.filter(organization::Column::CreditCode.eq(code.to_uppercase()));
    }
    page::fetch(ctx, select, order, organization::Column::Id, args).await
}

/// What an organisation is recorded with.
#[derive(Clone, Debug)]
pub struct NewOrganization {
    pub name: String,
    pub short_name: Option<String>,
    pub kind: Kind,
    pub credit_code: Option<String>,
    pub region_id: Option<RegionId>,
}

impl NewOrganization {
    /// The particulars as they are stored, or what is wrong with them, whether or not their code is on record.
    pub async fn checked(self, db: &impl ConnectionTrait) -> Result<Self> {
        let credit_code = credit_code(self.credit_code.as_deref())?;
        let (name, short_name) = (name(&self.name)?, short_name(self.short_name.as_deref())?);
        require_region(db, self.region_id).await?;
        Ok(Self { name, short_name, credit_code, ..self })
    }
}

async fn require_region(db: &impl ConnectionTrait, region: Option<RegionId>) -> Result<()> {
    let Some(region) = region else { return Ok(()) };
    region::Entity::find_by_id(region).one(db).await?.map(drop).ok_or(Error::NotFound("region"))
}

/// Turns away a credit code that an organisation carries.
async fn require_free_code(db: &impl ConnectionTrait, code: &str) -> Result<()> {
    match by_credit_code(db, code).await? {
        Some(_) => Err(Error::invalid(Code::AlreadyExists, "creditCode")),
        None => Ok(()),
    }
}

/// Records an organisation by the platform's own hand; committees record theirs by inviting them.
pub async fn record(ctx: &Ctx, new: NewOrganization) -> Result<organization::Model> {
    let tx = ctx.begin().await?;
    require_platform_admin(&tx).await?;
    let row = insert(&tx, new).await?;
    tx.commit(row.id).await?;
    Ok(row)
}

/// Records an organisation within a unit of work.
pub async fn insert(tx: &Tx<'_>, new: NewOrganization) -> Result<organization::Model> {
    let new = new.checked(&tx.db).await?;
    if let Some(code) = &new.credit_code {
        require_free_code(&tx.db, code).await?;
    }
    let row = organization::ActiveModel {
        id: Set(tx.ctx.new_id()),
        name: Set(new.name),
        short_name: Set(new.short_name),
        kind: Set(new.kind),
        credit_code: Set(new.credit_code),
        region_id: Set(new.region_id),
        created_at: Set(tx.ctx.now()),
        version: Set(1),
    };
    let row = row.insert(&tx.db).await?;
    tx.record(
        Fact::of(Event::OrganizationRecorded, row.id)
            .organizations([row.id])
            .detail("name", row.name.clone()),
    )
    .await?;
    Ok(row)
}

/// What changes of an organisation's particulars; absent stays, an empty short name clears.
#[derive(Clone, Debug, Default)]
pub struct OrganizationChange {
    pub name: Option<String>,
    pub short_name: Option<String>,
    pub kind: Option<Kind>,
    pub credit_code: Option<String>,
    pub region_id: Option<RegionId>,
}

/// Changes an organisation's particulars.
pub async fn update(
    ctx: &Ctx,
    id: OrganizationId,
    expected_version: i64,
    change: OrganizationChange,
) -> Result<organization::Model> {
    let tx = ctx.begin().await?;
    let row = visible(ctx)
        .filter(organization::Column::Id.eq(id))
        .lock_exclusive()
        .one(&tx.db)
        .await?
        .ok_or(Error::NotFound("organization"))?;
    require_update(&tx, id).await?;
    alliance::expect_version(expected_version, row.version)?;
    let (row, _) = amend(&tx, row, change).await?;
    tx.commit(id).await?;
    Ok(row)
}

/// Whoever speaks for an organisation changes it, and the committee of its alliance as long as no other alliance has taken
/// it in: what several share is not one committee's to rewrite.
async fn require_update(tx: &Tx<'_>, id: OrganizationId) -> Result<()> {
    if administers(tx.ctx, &tx.db).await?
        || !memberships::speaking_seats(&tx.db, tx.ctx.account_id()?, &[id]).await?.is_empty()
    {
        return Ok(());
    }
    let members = memberships::current()
        .filter(membership::Column::OrganizationId.eq(id))
        .filter(membership::Column::State.is_in([membership::State::Active, membership::State::Suspended]))
        .all(&tx.db)
        .await?;
    let [only] = members.as_slice() else {
        return Err(Error::Forbidden);
    };
    let target = Target::alliance(only.alliance_id);
    tx.ctx.require(&tx.db, Action::UpdateOrganization, target.of(&[id])).await.map(drop)
}

/// Changes an organisation within a unit of work whose rights were checked; tells whether anything is different.
pub async fn amend(
    tx: &Tx<'_>,
    row: organization::Model,
    change: OrganizationChange,
) -> Result<(organization::Model, bool)> {
    let before = row.clone();
    let mut after = row.into_active_model();
    if let Some(text) = change.name {
        let name = name(&text)?;
        if name != before.name {
            memberships::refuse_namesake(tx, &known_in(tx, before.id).await?, &name).await?;
        }
        after.name.set_if_not_equals(name);
    }
    if let Some(text) = change.short_name {
        after.short_name.set_if_not_equals(short_name(Some(&text))?);
    }
    if let Some(kind) = change.kind {
        after.kind.set_if_not_equals(kind);
    }
    let code = credit_code(change.credit_code.as_deref())?;
    if code.is_some() && before.credit_code.is_some() && code != before.credit_code {
        return Err(Error::invalid(Code::CreditCodeKept, "creditCode"));
    }
    if change.region_id.is_some() && change.region_id != before.region_id {
        require_region(&tx.db, change.region_id).await?;
        after.region_id = Set(change.region_id);
    }
    if let (Some(code), None) = (code, &before.credit_code) {
        // Looked up last: nothing that is refused for another reason tells whether the code is on record.
        require_free_code(&tx.db, &code).await?;
        after.credit_code = Set(Some(code));
    }
    if !after.is_changed() {
        return Ok((before, false));
    }
    after.version = Set(before.version + 1);
    let after = after.update(&tx.db).await?;
    let fact = || {
        Fact::of(Event::OrganizationUpdated, after.id)
            .organizations([after.id])
            .detail("name", after.name.clone())
    };
    let told = known_in(tx, after.id).await?;
    if told.is_empty() {
        tx.record(fact()).await?;
    }
    for alliance in told {
        tx.record(fact().alliance(alliance)).await?;
    }
    Ok((after, true))
}

/// The alliances that know an organisation as theirs.
async fn known_in(tx: &Tx<'_>, id: OrganizationId) -> Result<Vec<AllianceId>> {
    let known = memberships::current()
        .select_only()
        .column(membership::Column::AllianceId)
        .filter(membership::Column::OrganizationId.eq(id))
        .filter(membership::Column::IsUnitKnown.eq(true));
    Ok(known.into_tuple().all(&tx.db).await?)
}

/// The organisation that carries a credit code.
pub async fn by_credit_code(db: &impl ConnectionTrait, code: &str) -> Result<Option<organization::Model>> {
    Ok(organization::Entity::find().filter(organization::Column::CreditCode.eq(code)).one(db).await?)
}

/// A full name; never with the designation of a military unit.
pub fn name(value: &str) -> Result<String> {
    let name = text::required(value, "name", 200)?;
    if carries_designation(&name) { Err(Error::invalid(Code::DesignationRefused, "name")) } else { Ok(name) }
}

/// A name for lists; never with the designation of a military unit.
pub fn short_name(value: Option<&str>) -> Result<Option<String>> {
    let name = text::optional(value, "shortName", 64)?;
    match name {
        Some(name) if carries_designation(&name) => {
            Err(Error::invalid(Code::DesignationRefused, "shortName"))
        }
        name => Ok(name),
    }
}

/// Whether a name tells which military unit it is: by its cover number (31605部队, 番号31605) or by its place in the order of
/// battle (第38集团军, 陆军第123旅), in whatever digits people type.
fn carries_designation(name: &str) -> bool {
    let text: Vec<char> =
        name.to_lowercase().chars().filter(|character| !character.is_whitespace()).collect();
    let is_digit = |character: char| {
        character.is_ascii_digit()
            || ('０'..='９').contains(&character)
            || "〇零一二三四五六七八九十百".contains(character)
    };
    let mut at = 0;
    for run in text.chunk_by(|left, right| is_digit(*left) == is_digit(*right)) {
        let (start, end) = (at, at + run.len());
        at = end;
        if !run.first().is_some_and(|first| is_digit(*first)) {
            continue;
        }
        let before: String = text.get(..start).unwrap_or_default().iter().collect();
        let after: String = text.get(end..).unwrap_or_default().iter().collect();
        if designates(before.trim_end_matches('第'), run.len(), after.trim_start_matches('号')) {
            return true;
        }
    }
    false
}

/// Whether a number of so many digits designates a unit, by what stands around it.
fn designates(before: &str, digits: usize, after: &str) -> bool {
    let is_military =
        ["解放军", "陆军", "海军", "空军", "火箭军", "武警"].iter().any(|word| before.contains(word));
    // 团支部 is a branch of the Youth League, 营业 is business.
    let is_formation = ["部队", "师", "旅", "团", "营", "舰队"].iter().any(|word| {
        after
            .strip_prefix(word)
            .is_some_and(|rest| !rest.starts_with(['支', '委', '组', '员', '业', '养', '运', '游', '范']))
    });
    (digits >= 4 && after.starts_with("部队"))
        || after.starts_with("集团军")
        || (is_military && is_formation)
        || (digits >= 3 && ["番号", "某部", "plaunit"].iter().any(|word| before.ends_with(word)))
        || (digits >= 5 && before.ends_with("部队"))
}

/// A unified social credit code in its plain form; blank counts as none.
pub fn credit_code(value: Option<&str>) -> Result<Option<String>> {
    let Some(value) = value.map(str::trim).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    match CreditCode::parse(value) {
        Ok(code) => Ok(Some(code.as_str().to_owned())),
        Err(CreditCodeError::WrongLength { found }) => {
            Err(Error::invalid(Code::CreditCodeLength, "creditCode").with("found", found))
        }
        Err(CreditCodeError::BadCharacter { position, .. }) => {
            Err(Error::invalid(Code::CreditCodeCharacter, "creditCode").with("position", position))
        }
        Err(CreditCodeError::BadCheck) => Err(Error::invalid(Code::CreditCodeMistyped, "creditCode")),
    }
}

/// What is doubtful about an organisation although it was taken.
pub fn warnings(row: &organization::Model) -> Vec<Error> {
    let code = row.credit_code.as_deref().and_then(|code| CreditCode::parse(code).ok());
    code.and_then(|code| code.warning())
        .map(|CreditCodeWarning::OrganizationCheck { expected, found }| {
            Error::invalid(Code::OrganizationCodeDoubtful, "creditCode")
                .with("expected", expected)
                .with("found", found)
        })
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn designations_are_known_in_any_digits_and_plain_names_pass() {
        for name in [
            "31605部队",
            "某省３１６０５ 部队",
            "武警三一六〇五部队医院",
            "中国人民解放军31605号部队",
            "番号31605",
            "驻军某部31605",
            "陆军第123旅",
            "第三十八集团军",
            "解放军第123部队",
            "PLA Unit 31605",
        ] {
            assert!(carries_designation(name), "{name}");
        }
        for name in [
            "驻镇部队",
            "海晏县人武部",
            "119部队之友协会",
            "2026年度驻地部队",
            "武警中队第一团支部",
            "空军第一营业部",
            "海军第二医院",
            "第三师范学校",
            "Plaza Unit 1200",
            "一〇一便民服务队",
        ] {
            assert!(!carries_designation(name), "{name}");
        }
    }
}
