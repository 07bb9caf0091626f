//! Faces of accounts and of their one-time links.

use async_graphql::{Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use concord_entities::{
    account, account_link,
    id::{AccountId, TypedId},
    priority_task, problem, whistle, whistle_response,
};
use uuid::Uuid;

use super::{
    batch::{IdentitiesOf, InClear, SeatsOf},
    external_identity::ExternalIdentity,
    once,
    seat::{Role, Seat},
};
use crate::{
    domain::{
        self, Ctx,
        identity::{
            account::{self as verbs, By, Filter, Invitation},
            erasure,
            link::{self, IssuedLink},
            open_work,
        },
        privacy,
    },
    graphql::{
        connection::{args, connection},
        ctx,
        error::{OrApiError, UserError, payload},
        governance::alliance::Alliance,
        id, loaders,
        node::Node,
        scalar::{Date, DateTime},
    },
};

/// A person with a login. A person acts in roles and is never a resident on file.
#[derive(Clone)]
pub struct Account(pub account::Model);

impl From<account::Model> for Account {
    fn from(row: account::Model) -> Self {
        Self(row)
    }
}

impl Node for Account {
    const NOUN: &'static str = AccountId::NOUN;

    async fn find(ctx: &Ctx, id: Uuid) -> domain::Result<Option<Self>> {
        Ok(verbs::find(ctx, id.into()).await?.map(Self))
    }
}

/// Whether a person may sign in.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::account::State")]
pub enum AccountState {
    /// The invitation has not been taken up.
    Invited,
    /// May sign in.
    Active,
    /// All access is ended.
    Disabled,
}

impl Account {
    async fn in_clear(&self, context: &Context<'_>) -> Result<bool> {
        Ok(loaders::one(context, InClear(self.0.id)).await?.unwrap_or(false))
    }
}

/// A person with a login. A person acts in roles and is never a resident on file.
#[Object]
impl Account {
    /// Global identifier.
    pub async fn id(&self) -> ID {
        id::encode(self.0.id)
    }

    /// Name shown to colleagues; masked like `张**` for callers of other organisations.
    async fn display_name(&self, context: &Context<'_>) -> Result<String> {
        let name = &self.0.display_name;
        Ok(if self.in_clear(context).await? { name.clone() } else { privacy::mask_name(name) })
    }

    /// Sign-in name; null for callers of other organisations.
    async fn username(&self, context: &Context<'_>) -> Result<Option<String>> {
        Ok(self.in_clear(context).await?.then(|| self.0.username.clone()))
    }

    /// Contact number; masked like `139****5678` for callers of other organisations.
    async fn phone(&self, context: &Context<'_>) -> Result<Option<String>> {
        let Some(phone) = &self.0.phone else { return Ok(None) };
        Ok(Some(if self.in_clear(context).await? { phone.clone() } else { privacy::mask_phone(phone) }))
    }

    /// Whether the person may sign in.
    async fn state(&self) -> AccountState {
        self.0.state.into()
    }

    /// Whether the person administers the platform itself.
    async fn is_platform_admin(&self) -> bool {
        self.0.is_platform_admin
    }

    /// The person's roles, also ended ones, as far as the caller looks after them; all of one's own.
    async fn seats(&self, context: &Context<'_>) -> Result<Vec<Seat>> {
        let rows = loaders::one(context, SeatsOf(self.0.id)).await?.unwrap_or_default();
        Ok(rows.into_iter().map(Seat).collect())
    }

    /// What external issuers call the person, for those who look after the account and for its owner.
    async fn external_identities(&self, context: &Context<'_>) -> Result<Vec<ExternalIdentity>> {
        let rows = loaders::one(context, IdentitiesOf(self.0.id)).await?.unwrap_or_default();
        Ok(rows.into_iter().map(ExternalIdentity).collect())
    }

    /// When the account was made.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When the account was disabled, while it is.
    async fn disabled_at(&self) -> Option<DateTime> {
        self.0.disabled_at.map(Into::into)
    }

    /// When the person's data was erased; from then on the account names nobody and cannot be enabled.
    async fn erased_at(&self) -> Option<DateTime> {
        self.0.erased_at.map(Into::into)
    }

    /// Grows by one with every change; give it as `expectedVersion`.
    async fn version(&self) -> i64 {
        self.0.version
    }
}

connection!(AccountConnection, AccountEdge, Account, account::Entity);

/// Narrows a list of accounts; all that is given must hold.
#[derive(InputObject, Default)]
pub struct AccountFilter {
    /// Only accounts in this state.
    state: Option<AccountState>,
    /// Only people who hold this role in the alliance.
    role: Option<Role>,
    /// Only people who act for this organisation in the alliance.
    organization_id: Option<ID>,
}

impl AccountFilter {
    fn read(self) -> domain::Result<Filter> {
        Ok(Filter {
            state: self.state.map(Into::into),
            role: self.role.map(Into::into),
            organization_id: id::decode_optional(self.organization_id.as_ref(), "filter.organizationId")?,
        })
    }
}

/// The order of a list of accounts.
#[derive(Enum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AccountOrder {
    /// By sign-in name, A first.
    #[default]
    Username,
    /// Newest first.
    CreatedAtDesc,
}

impl AccountOrder {
    fn read(self) -> (By, bool) {
        match self {
            Self::Username => (By::Username, false),
            Self::CreatedAtDesc => (By::CreatedAt, true),
        }
    }
}

/// One open problem or task that somebody has to take over.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct OpenWorkItem {
    /// Global identifier of the problem, task or call to a whistle; `node` finds it.
    id: ID,
    /// Its number, for a problem; that of the whistle, for a call.
    number: Option<String>,
    /// What it is called.
    title: String,
    /// The day by which it is due, where one was set; a call is due at an instant, which `node` tells.
    due_on: Option<Date>,
    #[graphql(skip)]
    alliance_id: concord_entities::id::AllianceId,
}

#[async_graphql::ComplexObject]
impl OpenWorkItem {
    /// The alliance on whose list it stands.
    async fn alliance(&self, context: &Context<'_>) -> Result<Option<Alliance>> {
        Ok(loaders::one(context, self.alliance_id).await?.map(Alliance))
    }
}

impl From<problem::Model> for OpenWorkItem {
    fn from(row: problem::Model) -> Self {
        Self {
            id: id::encode(row.id),
            number: Some(row.number),
            title: row.title,
            due_on: row.due_on.map(Into::into),
            alliance_id: row.alliance_id,
        }
    }
}

impl From<priority_task::Model> for OpenWorkItem {
    fn from(row: priority_task::Model) -> Self {
        Self {
            id: id::encode(row.id),
            number: None,
            title: row.title,
            due_on: Some(row.due_on.into()),
            alliance_id: row.alliance_id,
        }
    }
}

impl From<(whistle_response::Model, Option<whistle::Model>)> for OpenWorkItem {
    fn from((row, whistle): (whistle_response::Model, Option<whistle::Model>)) -> Self {
        let (number, title) = whistle.map(|whistle| (whistle.number, whistle.title)).unzip();
        Self {
            id: id::encode(row.id),
            number,
            title: title.unwrap_or_default(),
            due_on: None,
            alliance_id: row.member_alliance_id,
        }
    }
}

/// What a person leaves open, to be given to others.
#[derive(SimpleObject)]
pub struct OpenWork {
    /// Open problems that the person handles, oldest first.
    problems: Vec<OpenWorkItem>,
    /// How many such problems there are.
    problem_count: u64,
    /// Open tasks of the units that the person acts for, first due first.
    tasks: Vec<OpenWorkItem>,
    /// How many such tasks there are.
    task_count: u64,
    /// Open calls to whistles of the units that the person acts for, first due first.
    whistle_calls: Vec<OpenWorkItem>,
    /// How many such calls there are.
    whistle_call_count: u64,
}

impl From<open_work::OpenWork> for OpenWork {
    fn from(work: open_work::OpenWork) -> Self {
        Self {
            problems: work.problems.into_iter().map(Into::into).collect(),
            problem_count: work.problem_count,
            tasks: work.tasks.into_iter().map(Into::into).collect(),
            task_count: work.task_count,
            whistle_calls: work.calls.into_iter().map(Into::into).collect(),
            whistle_call_count: work.call_count,
        }
    }
}

#[derive(Default)]
pub struct AccountQuery;

#[Object]
impl AccountQuery {
    /// One account; null where there is none or the caller does not look after it.
    async fn account(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Identifier of the account.")] id: ID,
    ) -> Result<Option<Account>> {
        let ctx = ctx(context);
        let id = id::decode(&id, "id").or_api_error(ctx)?;
        Ok(verbs::find(ctx, id).await.or_api_error(ctx)?.map(Account))
    }

    /// The people with a role in an alliance: all for its committee, those of their own organisation for a member manager.
    async fn accounts(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The alliance.")] alliance_id: ID,
        #[graphql(desc = "Narrows the list.")] filter: Option<AccountFilter>,
        #[graphql(desc = "The order; by sign-in name by default.")] order_by: Option<AccountOrder>,
        #[graphql(desc = "Items from the start, 1 to 100; 20 by default.")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "Items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<AccountConnection> {
        let ctx = ctx(context);
        let alliance = id::decode(&alliance_id, "allianceId").or_api_error(ctx)?;
        let filter = filter.unwrap_or_default().read().or_api_error(ctx)?;
        let order = order_by.unwrap_or_default().read();
        let page = verbs::list(ctx, alliance, &filter, order, &args(first, after, last, before)).await;
        Ok(page.or_api_error(ctx)?.into())
    }

    /// What a person leaves open, as far as the caller looks after it: to be read before or after their access ends.
    async fn open_work(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The person.")] account_id: ID,
        #[graphql(desc = "Only work of this alliance.")] alliance_id: Option<ID>,
        #[graphql(desc = "Items of each kind, 1 to 100.", default = 20)] first: i32,
    ) -> Result<OpenWork> {
        let ctx = ctx(context);
        let read = async {
            let account = id::decode(&account_id, "accountId")?;
            let alliance = id::decode_optional(alliance_id.as_ref(), "allianceId")?;
            let first = domain::text::within(first, "first", 1, 100)?;
            open_work::of(ctx, account, alliance, u64::try_from(first).unwrap_or(1)).await
        };
        Ok(read.await.or_api_error(ctx)?.into())
    }
}

/// What a one-time link is for.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "concord_entities::account_link::Purpose")]
pub enum LinkPurpose {
    /// To take up an invitation.
    Invitation,
    /// To set a new password.
    Reset,
}

/// A link by which a person sets a password, once. It is shown this once and cannot be read again.
#[derive(SimpleObject)]
pub struct AccountLink {
    /// The secret; give it to the person, who gives it to `redeemAccountLink`.
    token: String,
    /// What it is for.
    purpose: LinkPurpose,
    /// When it lapses.
    expires_at: DateTime,
}

impl From<IssuedLink> for AccountLink {
    fn from(link: IssuedLink) -> Self {
        let IssuedLink { secret, purpose, expires_at } = link;
        let purpose: account_link::Purpose = purpose;
        Self { token: secret, purpose: purpose.into(), expires_at: expires_at.into() }
    }
}

/// Whom to invite, and into which role.
#[derive(InputObject)]
pub struct InviteAccountInput {
    /// The alliance.
    alliance_id: ID,
    /// Sign-in name: letters, digits, `.`, `-`, `_` and `@`, at most 64; kept in lower case.
    username: String,
    /// Name shown to colleagues, at most 128 characters.
    display_name: String,
    /// Contact number, at most 32 characters.
    phone: Option<String>,
    /// The first role.
    role: Role,
    /// The member organisation that the person acts for; required for member roles and verifiers.
    organization_id: Option<ID>,
    /// The community that an officer is responsible for.
    region_id: Option<ID>,
}

impl InviteAccountInput {
    fn read(self) -> domain::Result<Invitation> {
        Ok(Invitation {
            username: self.username,
            display_name: self.display_name,
            phone: self.phone,
            alliance_id: id::decode(&self.alliance_id, "allianceId")?,
            role: self.role.into(),
            organization_id: id::decode_optional(self.organization_id.as_ref(), "organizationId")?,
            region_id: id::decode_optional(self.region_id.as_ref(), "regionId")?,
        })
    }
}

/// What came of an invitation.
#[derive(SimpleObject)]
pub struct InviteAccountPayload {
    /// The new account.
    account: Option<Account>,
    /// The link to hand over, shown this once.
    link: Option<AccountLink>,
    /// What the caller can mend; empty when the change was made.
    user_errors: Vec<UserError>,
}

/// Whose password is reset.
#[derive(InputObject)]
pub struct ResetPasswordInput {
    /// The person.
    account_id: ID,
}

/// What came of resetting a password.
#[derive(SimpleObject)]
pub struct ResetPasswordPayload {
    /// The person.
    account: Option<Account>,
    /// The link to hand over, shown this once.
    link: Option<AccountLink>,
    /// What the caller can mend; empty when the change was made.
    user_errors: Vec<UserError>,
}

/// A one-time link and the password to set by it.
#[derive(InputObject)]
pub struct RedeemAccountLinkInput {
    /// The secret of the link.
    token: String,
    /// The new password, 10 to 128 characters.
    password: String,
}

/// What came of redeeming a link.
#[derive(SimpleObject)]
pub struct RedeemAccountLinkPayload {
    /// The name to sign in with.
    username: Option<String>,
    /// What the caller can mend; empty when the password was set.
    user_errors: Vec<UserError>,
}

/// Whose access ends.
#[derive(InputObject)]
pub struct DisableAccountInput {
    /// The person.
    account_id: ID,
    /// The version that the caller read; without it any.
    expected_version: Option<i64>,
}

/// Whose access is given back.
#[derive(InputObject)]
pub struct EnableAccountInput {
    /// The person.
    account_id: ID,
    /// The version that the caller read; without it any.
    expected_version: Option<i64>,
}

payload!(
    /// What came of disabling an account.
    DisableAccountPayload {
        /// The account; `openWork` tells what its owner leaves open.
        account: Account
    }
);

/// Whose data is erased, and why.
#[derive(InputObject)]
pub struct EraseAccountInput {
    /// The person, whose access was ended before.
    account_id: ID,
    /// Why, at most 4,000 characters; it is kept, so it names nobody.
    reason: String,
}

payload!(
    /// What came of erasing a person's data.
    EraseAccountPayload {
        /// The account, which names nobody any more.
        account: Account
    }
);

payload!(
    /// What came of enabling an account.
    EnableAccountPayload {
        /// The account.
        account: Account
    }
);

#[derive(Default)]
pub struct AccountMutation;

#[Object]
impl AccountMutation {
    /// Invites a person into a role by a one-time link. The committee may, and a member manager for the people of their own
    /// organisation. A sign-in name stands once in the whole installation: one that somebody bears answers `ALREADY_EXISTS`,
    /// and nothing else is told of them. Takes no idempotency key.
    async fn invite_account(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whom to invite.")] input: InviteAccountInput,
    ) -> Result<InviteAccountPayload> {
        let ctx = ctx(context);
        let (made, user_errors) = once(ctx, async { verbs::invite(ctx, input.read()?).await }.await)?;
        let (account, link) = made.unzip();
        Ok(InviteAccountPayload { account: account.map(Account), link: link.map(Into::into), user_errors })
    }

    /// Makes a one-time link by which a person sets a new password, or takes up an invitation whose link was lost; earlier
    /// links stop working. Needs power over every role of the person. Takes no idempotency key.
    async fn reset_password(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whose.")] input: ResetPasswordInput,
    ) -> Result<ResetPasswordPayload> {
        let ctx = ctx(context);
        let result = async { link::reset(ctx, id::decode(&input.account_id, "accountId")?).await }.await;
        let (made, user_errors) = once(ctx, result)?;
        let (account, link) = made.unzip();
        Ok(ResetPasswordPayload { account: account.map(Account), link: link.map(Into::into), user_errors })
    }

    /// Sets a password by a one-time link and ends the person's sessions. Needs no sign-in; takes no idempotency key.
    async fn redeem_account_link(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The link and the password.")] input: RedeemAccountLinkInput,
    ) -> Result<RedeemAccountLinkPayload> {
        let ctx = ctx(context);
        let (account, user_errors) = once(ctx, link::redeem(ctx, &input.token, &input.password).await)?;
        Ok(RedeemAccountLinkPayload { username: account.map(|account| account.username), user_errors })
    }

    /// Ends all access of a person at once. Needs power over every role of the person: where they also act elsewhere,
    /// `endSeat` shuts them out here. Whoever runs an alliance alone is disabled by a platform administrator only.
    async fn disable_account(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whose.")] input: DisableAccountInput,
    ) -> Result<DisableAccountPayload> {
        let ctx = ctx(context);
        let result = async {
            verbs::disable(ctx, id::decode(&input.account_id, "accountId")?, input.expected_version).await
        };
        DisableAccountPayload::of(ctx, result.await).await
    }

    /// Gives a disabled person their access back, with the roles they had. Needs power over every role of the person.
    async fn enable_account(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whose.")] input: EnableAccountInput,
    ) -> Result<EnableAccountPayload> {
        let ctx = ctx(context);
        let result = async {
            verbs::enable(ctx, id::decode(&input.account_id, "accountId")?, input.expected_version).await
        };
        EnableAccountPayload::of(ctx, result.await).await
    }

    /// Erases what is known of a person whose access has ended: sign-in name, name, number, password, links and identities
    /// elsewhere. The account stays without a name, so that roles, counts and judgements stay. Cannot be undone. Only a
    /// platform administrator may.
    async fn erase_account(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whose data, and why.")] input: EraseAccountInput,
    ) -> Result<EraseAccountPayload> {
        let ctx = ctx(context);
        let result =
            async { erasure::erase(ctx, id::decode(&input.account_id, "accountId")?, &input.reason).await };
        EraseAccountPayload::of(ctx, result.await).await
    }
}
