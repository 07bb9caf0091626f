// The first thing a reader sees: how to sign in and where the token goes, in both languages.
export const welcome = `# 合治 Concord
#
# 1. 登录：运行下面的 SignIn。
#    登录名和密码填在左下方的 Variables 里，
#    不要写进查询文本。演示系统启动时，
#    终端会列出各角色的账号。
# 2. 把返回的 accessToken 填入 Headers：
#    { "Authorization": "Bearer <accessToken>" }
#    订阅（WebSocket）用同样的请求头。
# 3. 左上角的图标列出全部类型和字段的说明。
#    这里的内容只在本标签页中保存，关闭即清除。
#
# 1. Sign in: run SignIn below. The login and
#    the password go into Variables, not into
#    the query. \`concord demo\` prints an
#    account for each role on its terminal.
# 2. Copy the accessToken into Headers:
#    { "Authorization": "Bearer <accessToken>" }
#    Subscriptions send the same headers.
# 3. The icon at the upper left describes every
#    type and field. All you enter stays in this
#    browser tab and ends with it.

mutation SignIn($input: SignInInput!) {
  signIn(input: $input) {
    tokens {
      accessToken
    }
    userErrors {
      code
      field
      message
    }
  }
}

query Ping {
  __typename
}
`;
