//! Faces of signing in and out.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};

use super::{account::Account, once};
use crate::{
    domain::identity::session as verbs,
    graphql::{
        ctx,
        error::{UserError, payload},
        scalar::DateTime,
    },
};

/// Sign-in name and password.
#[derive(InputObject)]
pub struct SignInInput {
    /// Sign-in name.
    username: String,
    /// Password.
    password: String,
}

/// A refresh token to be spent.
#[derive(InputObject)]
pub struct RefreshSessionInput {
    /// The token; it is good once.
    refresh_token: String,
}

/// A pair of tokens.
#[derive(SimpleObject)]
pub struct SessionTokens {
    /// Send it as `Authorization: Bearer`.
    access_token: String,
    /// When the access token ends; refresh before.
    access_expires_at: DateTime,
    /// Spend it once with `refreshSession`; spending it twice ends the session.
    refresh_token: String,
    /// When the refresh token lapses unused.
    refresh_expires_at: DateTime,
}

/// What came of signing in.
#[derive(SimpleObject)]
pub struct SignInPayload {
    /// The tokens.
    tokens: Option<SessionTokens>,
    /// What the caller can mend; empty when signed in.
    user_errors: Vec<UserError>,
}

/// What came of refreshing a session.
#[derive(SimpleObject)]
pub struct RefreshSessionPayload {
    /// The next tokens.
    tokens: Option<SessionTokens>,
    /// What the caller can mend; empty when refreshed.
    user_errors: Vec<UserError>,
}

impl From<verbs::Tokens> for SessionTokens {
    fn from(tokens: verbs::Tokens) -> Self {
        Self {
            access_token: tokens.access_token,
            access_expires_at: tokens.access_expires_at.into(),
            refresh_token: tokens.refresh_token,
            refresh_expires_at: tokens.refresh_expires_at.into(),
        }
    }
}

/// What ends.
#[derive(InputObject)]
pub struct SignOutInput {
    /// All sessions of the caller instead of this one.
    #[graphql(default)]
    everywhere: bool,
}

/// The caller's old and new password.
#[derive(InputObject)]
pub struct ChangePasswordInput {
    /// The password so far.
    current_password: String,
    /// The new one, 10 to 128 characters.
    new_password: String,
}

payload!(
    /// What came of signing out.
    SignOutPayload {
        /// Who signed out.
        account: Account
    }
);

payload!(
    /// What came of changing the password.
    ChangePasswordPayload {
        /// Whose it is.
        account: Account
    }
);

#[derive(Default)]
pub struct SessionMutation;

#[Object]
impl SessionMutation {
    /// Starts a session. Too many wrong attempts pause signing in for a while. Takes no idempotency key.
    async fn sign_in(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Name and password.")] input: SignInInput,
    ) -> Result<SignInPayload> {
        let ctx = ctx(context);
        let (tokens, user_errors) = once(ctx, verbs::sign_in(ctx, &input.username, &input.password).await)?;
        Ok(SignInPayload { tokens: tokens.map(Into::into), user_errors })
    }

    /// Spends a refresh token for the next pair; a token that is unknown, lapsed or spent is answered with the error
    /// `UNAUTHENTICATED`, and a spent one also ends its session. Takes no idempotency key.
    async fn refresh_session(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The token.")] input: RefreshSessionInput,
    ) -> Result<RefreshSessionPayload> {
        let ctx = ctx(context);
        let (tokens, user_errors) = once(ctx, verbs::refresh(ctx, &input.refresh_token).await)?;
        Ok(RefreshSessionPayload { tokens: tokens.map(Into::into), user_errors })
    }

    /// Ends the caller's session, or all of them; their tokens are refused at once.
    async fn sign_out(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What ends.")] input: SignOutInput,
    ) -> Result<SignOutPayload> {
        let ctx = ctx(context);
        SignOutPayload::of(ctx, verbs::sign_out(ctx, input.everywhere).await).await
    }

    /// Changes the caller's own password and ends their other sessions. Takes no idempotency key.
    async fn change_password(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Old and new.")] input: ChangePasswordInput,
    ) -> Result<ChangePasswordPayload> {
        let ctx = ctx(context);
        let result = verbs::change_password(ctx, &input.current_password, &input.new_password).await;
        ChangePasswordPayload::of(ctx, result).await
    }
}
