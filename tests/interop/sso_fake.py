"""A fake of the four HTTP services that hand out credentials and that the judge lacks or is lax about, written from
AWS's formats (botocore's sso and sso-oidc models, the SDK reference guide, the EC2 user guide on IMDS):

  portal     GET  /federation/credentials      SSO portal, GetRoleCredentials
  oidc       POST /token                       SSO OIDC, CreateToken by refresh token
  container  GET  any path of container.paths  ECS, EKS Pod Identity, CloudShell
  imds       PUT  /latest/api/token, GET /latest/meta-data/...   EC2, version 2 alone unless told otherwise

    with SsoFake() as fake:
        fake.portal.keys                               # Keys(access_key, secret, token, expires_at): what it hands out
        fake.portal.script(fake.portal.error("TooManyRequestsException"), HANG)    # its next two answers
        fake.imds.keys.expires_at = fake.now() - 60    # an outage: keys that have ended
        run([...], env={**fake.sso_files(home), ...})  # or imds_environment(), container_environment()
        fake.requests("/token")                        # what was asked: [Seen(method, path, query, headers, body)]

Its port serves 127.0.0.1 alone. What it holds may be changed while it runs; one lock guards each answer.
"""

import collections
import dataclasses
import hashlib
import http.server
import json
import pathlib
import threading
import time
import urllib.parse
import uuid

HANG = "hang"  # no answer until the fake is closed
DROP = "drop"  # the connection ends without an answer


@dataclasses.dataclass
class Keys:
    access_key: str
    secret: str
    token: str
    expires_at: float  # seconds since the Unix epoch


@dataclasses.dataclass
class Seen:
    method: str
    path: str
    query: dict  # name -> value, decoded
    headers: dict  # by lower-case name
    body: bytes


@dataclasses.dataclass
class Answer:
    status: int
    body: bytes = b""
    headers: dict = dataclasses.field(default_factory=dict)


def json_answer(status, content, **headers):
    return Answer(status, json.dumps(content).encode(), {"Content-Type": "application/json", **headers})


def iso(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class Service:
    """Scripted answers go before what the service would say."""

    def __init__(self, fake, name):
        self.fake = fake
        self.keys = Keys(f"ASIA{name.upper():A<12}0001", f"secret/of+{name}/" + "x" * 20, f"session-token-of-{name}==",
                         fake.now() + 3600)
        self._scripted = collections.deque()

    def script(self, *answers):
        """What the next requests get: Answer, HANG, DROP, or None for the service's own answer."""
        self._scripted.extend(answers)

    def answer(self, seen):
        scripted = self._scripted.popleft() if self._scripted else None
        return self.respond(seen) if scripted is None else scripted


class Portal(Service):
    """tokens: SSO access token -> when it ends; roles: (account, role) pairs that the user may take."""

    STATUS = {"InvalidRequestException": 400, "UnauthorizedException": 401, "ForbiddenException": 403,
              "ResourceNotFoundException": 404, "TooManyRequestsException": 429}

    def __init__(self, fake):
        super().__init__(fake, "sso")
        self.tokens = {"sso-access-token-0": fake.now() + 8 * 3600}
        self.roles = {("123456789012", "Migrator")}

    def error(self, code, message="said by the script"):
        space = "com.amazonaws.switchboard.portal"
        return json_answer(self.STATUS[code], {"message": message, "__type": f"{space}#{code}"},
                           **{"x-amzn-ErrorType": f"{code}:http://internal.amazon.com/coral/{space}/"})

    def respond(self, seen):
        if seen.method != "GET":
            return Answer(405)
        ends = self.tokens.get(seen.headers.get("x-amz-sso_bearer_token"))
        if ends is None or ends <= self.fake.now():
            return self.error("UnauthorizedException", "Session token not found or invalid")
        for name in ("role_name", "account_id"):
            if not seen.query.get(name):
                return self.error("InvalidRequestException", f"{name} must not be empty")
        if (seen.query["account_id"], seen.query["role_name"]) not in self.roles:
            return self.error("ForbiddenException", "No access")
        return json_answer(200, {"roleCredentials": {
            "accessKeyId": self.keys.access_key, "secretAccessKey": self.keys.secret, "sessionToken": self.keys.token,
            "expiration": int(self.keys.expires_at * 1000)}})


class Oidc(Service):
    """Each refresh registers a new access token with the portal. rotates: the refresh token is good for one use and the
    answer carries the next one; otherwise it stays good and the answer carries none."""

    ERRORS = {"InvalidRequestException": (400, "invalid_request"), "InvalidClientException": (401, "invalid_client"),
              "InvalidGrantException": (400, "invalid_grant"), "ExpiredTokenException": (400, "expired_token"),
              "UnauthorizedClientException": (400, "unauthorized_client"),
              "UnsupportedGrantTypeException": (400, "unsupported_grant_type"),
              "InvalidScopeException": (400, "invalid_scope"), "AccessDeniedException": (400, "access_denied"),
              "SlowDownException": (400, "slow_down"), "AuthorizationPendingException": (400, "authorization_pending"),
              "InternalServerException": (500, "server_error")}

    def __init__(self, fake):
        super().__init__(fake, "oidc")
        self.client_id = "client-id-1"
        self.client_secret = "client-secret-of-the-registration"
        self.client_expires_at = fake.now() + 90 * 86_400
        self.refresh_token = "refresh-token-0"
        self.expires_in = 8 * 3600
        self.rotates = True
        self.issued = 0

    def error(self, code, description="said by the script"):
        status, short = self.ERRORS[code]
        return json_answer(status, {"error": short, "error_description": description},
                           **{"x-amzn-ErrorType": f"{code}:http://internal.amazon.com/coral/com.amazonaws.sso.oidc/"})

    def respond(self, seen):
        if seen.method != "POST":
            return Answer(405)
        try:
            asked = json.loads(seen.body)
        except ValueError:
            asked = None
        if not isinstance(asked, dict) or not seen.headers.get("content-type", "").startswith("application/json"):
            return self.error("InvalidRequestException", "The body must be a JSON object of type application/json")
        for name in ("clientId", "clientSecret", "grantType"):
            if not isinstance(asked.get(name), str):
                return self.error("InvalidRequestException", f"Missing parameter: {name}")
        if (asked["clientId"], asked["clientSecret"]) != (self.client_id, self.client_secret):
            return self.error("InvalidClientException", "Invalid client provided")
        if self.client_expires_at <= self.fake.now():
            return self.error("InvalidClientException", "Client is expired")
        if asked["grantType"] != "refresh_token":
            return self.error("UnsupportedGrantTypeException", "Unsupported grant type provided")
        if asked.get("refreshToken") != self.refresh_token:
            return self.error("InvalidGrantException", "Invalid refresh token provided")
        self.issued += 1
        token = f"sso-access-token-{self.issued}"
        self.fake.portal.tokens[token] = self.fake.now() + self.expires_in
        answer = {"accessToken": token, "expiresIn": self.expires_in, "tokenType": "Bearer"}
        if self.rotates:
            answer["refreshToken"] = self.refresh_token = f"refresh-token-{self.issued}"
        return json_answer(200, answer)


class Container(Service):
    """authorization: what the Authorization header must be, None where none is asked for (ECS, relative URI)."""

    def __init__(self, fake):
        super().__init__(fake, "container")
        self.paths = {"/v2/credentials/1b2c3d4e", "/v1/credentials",
                      "/latest/meta-data/container/security-credentials"}
        self.authorization = "container-authorization-token"
        self.account_id = None

    def error(self, status, code, message="said by the script"):
        return json_answer(status, {"code": code, "message": message})

    def respond(self, seen):
        if seen.method != "GET":
            return self.error(405, "MethodNotAllowed", "only GET")
        if self.authorization is not None and seen.headers.get("authorization") != self.authorization:
            return self.error(401, "Unauthorized", "the authorization token is missing or wrong")
        content = {"RoleArn": "arn:aws:iam::123456789012:role/task", "AccessKeyId": self.keys.access_key,
                   "SecretAccessKey": self.keys.secret, "Token": self.keys.token,
                   "Expiration": iso(self.keys.expires_at)}
        if self.account_id is not None:
            content["AccountId"] = self.account_id
        return json_answer(200, content)


class Imds(Service):
    """role: None where the instance has none. token_refusal: the status (403, 404, 405) that a PUT for a
    token gets. token_required: False answers version 1 too. refuses_role: 200 with an error document, no keys."""

    ROLES = "/latest/meta-data/iam/security-credentials/"
    TTL = "x-aws-ec2-metadata-token-ttl-seconds"

    def __init__(self, fake):
        super().__init__(fake, "imds")
        self.role = "instance-role"
        self.region = "eu-west-1"
        self.token_refusal = None
        self.token_required = True
        self.refuses_role = False
        self.tokens = {}  # token -> when it ends

    def error(self, status):
        title = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
                 405: "Method Not Allowed"}.get(status, "Error")
        page = f"<html><head><title>{status} - {title}</title></head><body><h1>{status} - {title}</h1></body></html>"
        return Answer(status, page.encode(), {"Content-Type": "text/html"})

    def text(self, body, **headers):
        return Answer(200, body.encode(), {"Content-Type": "text/plain", **headers})

    def respond(self, seen):
        if seen.path == "/latest/api/token":
            return self.give_token(seen)
        if seen.method != "GET":
            return self.error(405)
        token = seen.headers.get("x-aws-ec2-metadata-token")
        if token is None and self.token_required:
            return self.error(401)
        if token is not None and self.tokens.get(token, 0) <= self.fake.now():
            return self.error(401)
        if seen.path == "/latest/meta-data/placement/region":
            return self.text(self.region)
        if seen.path.rstrip("/") == "/latest/meta-data/placement/availability-zone":
            return self.text(self.region + "a")
        if self.role is None:
            return self.error(404)
        if seen.path in (self.ROLES, self.ROLES[:-1]):
            return self.text(self.role)
        if seen.path == self.ROLES + self.role:
            return self.give_keys()
        return self.error(404)

    def give_token(self, seen):
        if self.token_refusal is not None:
            return self.error(self.token_refusal)
        if seen.method != "PUT":
            return self.error(405)
        if "x-forwarded-for" in seen.headers:  # a proxy stands in between: the service refuses on purpose
            return self.error(403)
        ttl = seen.headers.get(self.TTL, "")
        if not ttl.isdecimal() or not 1 <= int(ttl) <= 21_600:
            return self.error(400)
        token = uuid.uuid4().hex + "=="
        self.tokens[token] = self.fake.now() + int(ttl)
        return self.text(token, **{self.TTL: ttl})

    def give_keys(self):
        document = {"Code": "Success", "LastUpdated": iso(self.fake.now()), "Type": "AWS-HMAC",
                    "AccessKeyId": self.keys.access_key, "SecretAccessKey": self.keys.secret, "Token": self.keys.token,
                    "Expiration": iso(self.keys.expires_at)}
        if self.refuses_role:
            document = {"Code": "AssumeRoleUnauthorizedAccess", "LastUpdated": iso(self.fake.now()),
                        "Message": f"EC2 cannot assume the role {self.role}."}
        return self.text(json.dumps(document, indent=2))


def handler_of(fake):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def serve(self):
            target = urllib.parse.urlsplit(self.path)
            query = dict(urllib.parse.parse_qsl(target.query, keep_blank_values=True))
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = fake.answer(Seen(self.command, target.path, query, headers, body))
            if answer == HANG:
                fake.closing.wait()
            if answer in (HANG, DROP):
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else answer.body)

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = serve

        def log_message(self, *_):
            pass

    return Handler


class SsoFake:
    def __init__(self, now=time.time):
        self.now = now
        self.log = []
        self.portal = Portal(self)
        self.oidc = Oidc(self)
        self.container = Container(self)
        self.imds = Imds(self)
        self._lock = threading.Lock()
        self.closing = threading.Event()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler_of(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self):
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def requests(self, path):
        with self._lock:
            return [seen for seen in self.log if seen.path == path]

    def sso_files(self, home, session="corp", profile="sso", token_ends=8 * 3600, refreshable=True):
        """Writes config file and cached token as `aws sso login` leaves them under `home`: by an sso-session, or in the
        older form where session is None. token_ends: seconds from now. The environment that uses them."""
        start_url = "https://corp.awsapps.example/start"
        login = f"sso_start_url = {start_url}\nsso_region = eu-west-1\n"
        account, role = sorted(self.portal.roles)[0]
        role = f"sso_account_id = {account}\nsso_role_name = {role}\n"
        config = f"[profile {profile}]\n{login}{role}"
        if session is not None:
            config = (f"[profile {profile}]\nsso_session = {session}\n{role}"
                      f"[sso-session {session}]\n{login}sso_registration_scopes = sso:account:access\n")
        token, ends = next(iter(self.portal.tokens)), self.now() + token_ends
        self.portal.tokens[token] = ends
        cached = {"startUrl": start_url, "region": "eu-west-1", "accessToken": token, "expiresAt": iso(ends)}
        if refreshable:
            cached.update(clientId=self.oidc.client_id, clientSecret=self.oidc.client_secret,
                          registrationExpiresAt=iso(self.oidc.client_expires_at), refreshToken=self.oidc.refresh_token)
        folder = pathlib.Path(home) / ".aws" / "sso" / "cache"
        folder.mkdir(parents=True, exist_ok=True)
        self.token_file = folder / (hashlib.sha1((session or start_url).encode()).hexdigest() + ".json")
        self.token_file.write_text(json.dumps(cached))
        self.token_file.chmod(0o600)
        (folder.parents[1] / "config").write_text(config)
        return {"HOME": str(home), "AWS_PROFILE": profile, "AWS_ENDPOINT_URL_SSO": self.url,
                "AWS_ENDPOINT_URL_SSO_OIDC": self.url, "AWS_EC2_METADATA_DISABLED": "true"}

    def imds_environment(self):
        return {"AWS_EC2_METADATA_SERVICE_ENDPOINT": self.url}

    def container_environment(self, path="/v1/credentials", token_file=None):
        """By AWS_CONTAINER_AUTHORIZATION_TOKEN, or by a file that is written here."""
        environment = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": self.url + path}
        if token_file is not None:
            pathlib.Path(token_file).write_text(self.container.authorization)
            environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = str(token_file)
        elif self.container.authorization is not None:
            environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = self.container.authorization
        return environment

    def _service(self, path):
        if path in self.container.paths:
            return self.container
        if path.startswith("/latest/"):
            return self.imds
        return {"/federation/credentials": self.portal, "/token": self.oidc}.get(path)

    def answer(self, seen):
        with self._lock:
            self.log.append(seen)
            service = self._service(seen.path)
            return Answer(404, b"no such path") if service is None else service.answer(seen)
