"""Worlds for test_settings_botocore.py: an environment and the two shared files, made at random. What they hold is
valid setting by setting (whole key pairs, good numbers), so that both readers have to agree on what follows from
it; which settings meet is left to chance, so that missing and contradicting ones are among them. What the two
treat differently on purpose is not in here: half a key pair, a duration that is no number, comments behind values.
"""

import random

PROFILES = ("default", "a", "b", "with blank")


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def world(self, directory):
        chance = self._chance
        environment = {
            "HOME": str(directory),
            "AWS_CONFIG_FILE": str(directory / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(directory / "credentials"),
        }
        if chance(0.1):
            environment |= {"AWS_ACCESS_KEY_ID": "ENVIRONMENTKEY", "AWS_SECRET_ACCESS_KEY": "s"}
            if chance(0.5):
                environment["AWS_SESSION_TOKEN"] = "environment-token"
        if chance(0.15):
            environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = "/env-token"
            if chance(0.8):
                environment["AWS_ROLE_ARN"] = self._role("env")
            if chance(0.5):
                environment["AWS_ROLE_SESSION_NAME"] = "env-session"
        if chance(0.2):
            environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/container"
        if chance(0.2):
            environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://localhost:1338/full"
        if chance(0.3):
            environment["AWS_EC2_METADATA_DISABLED"] = self.random.choice(("true", "True", "false"))
        if chance(0.2):
            environment["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"] = self.random.choice(("IPv6", "ipv4"))
        if chance(0.2):
            environment["AWS_METADATA_SERVICE_TIMEOUT"] = "7"
        flag = ""
        if chance(0.4):
            flag = self.random.choice(PROFILES + ("missing",))
        elif chance(0.4):
            environment["AWS_PROFILE"] = self.random.choice(PROFILES + ("missing",))
        return {
            "environment": environment,
            "profile": flag,
            "config": self._config(),
            "credentials": self._credentials(),
            "show": list(PROFILES),
        }

    def _chance(self, share):
        return self.random.random() < share

    def _role(self, name):
        return f"arn:aws:iam::123456789012:role/{name}"

    def _config(self):
        sections = []
        for name in PROFILES:
            if self._chance(0.85):
                heading = self._heading(name)
                sections.append(f"{heading}\n{self._lines(self._settings(name))}")
        for name in ("s", "t"):
            if self._chance(0.7):
                values = {"sso_registration_scopes": "x"}
                if self._chance(0.9):
                    values["sso_start_url"] = f"https://{name}.example/start"
                if self._chance(0.9):
                    values["sso_region"] = "eu-west-1"
                sections.append(f"[sso-session {name}]\n{self._lines(values)}")
        self.random.shuffle(sections)
        return self.random.choice(("", "# head\n", "\n; head\n\n")) + "".join(sections)

    def _heading(self, name):
        if name == "default":
            return self.random.choice(("[default]", "[profile default]"))
        quote = self.random.choice("'\"") if " " in name else self.random.choice(("", "'", '"'))
        return f"[profile {quote}{name}{quote}]"

    def _settings(self, name):
        chance = self._chance
        values = {"region": f"region-{name}".replace(" ", "-")}
        if chance(0.4):
            values["role_arn"] = self._role(name.replace(" ", "-"))
        if chance(0.25):  # a link of a longer chain
            values["role_arn"] = self._role("link")
            values["source_profile"] = PROFILES[(PROFILES.index(name) + 1) % len(PROFILES)]
        elif chance(0.3):
            values["source_profile"] = self.random.choice(PROFILES + ("missing",))
        elif chance(0.4):
            values["credential_source"] = self.random.choice(
                ("Environment", "EcsContainer", "Ec2InstanceMetadata", "Elsewhere")
            )
        if chance(0.3):
            values["role_session_name"] = f"session-{name}".replace(" ", "-")
        if chance(0.3):
            values["external_id"] = f"id of {name}"
        if chance(0.3):
            values["duration_seconds"] = "1800"
        if chance(0.15):
            values["web_identity_token_file"] = "/profile-token"
        for key, value in {
            "sso_session": self.random.choice(("s", "t")),
            "sso_account_id": "111122223333",
            "sso_role_name": "reader",
            "sso_start_url": "https://s.example/start",
            "sso_region": "eu-west-1",
        }.items():
            if chance(0.12):
                values[key] = value
        if chance(0.15):
            values |= {"sso_session": "s", "sso_account_id": "444455556666", "sso_role_name": "writer"}
        if chance(0.15):
            values["login_session"] = f"arn:aws:iam::1:user/{name}"
        if chance(0.15):
            values["credential_process"] = f"/bin/process --for={name}"
        if chance(0.2):
            values |= self._keys("CONFIG", name)
        if chance(0.3):
            values["s3"] = {"addressing_style": "path", "Max_Things": "a = b"}
        if chance(0.2):
            values["empty"] = ""
        if chance(0.2):
            values["long"] = ["first", "second: line"]
        if chance(0.2):
            values["ec2_metadata_v1_disabled"] = self.random.choice(("true", "false"))
        if chance(0.2):
            values["metadata_service_num_attempts"] = "5"
        return values

    def _keys(self, place, name):
        values = {"aws_access_key_id": f"{place}{name}".replace(" ", ""), "aws_secret_access_key": "s/+=#;"}
        if self._chance(0.4):
            values["aws_session_token"] = f"{place}-token"
        if self._chance(0.3):
            values["aws_account_id"] = "777788889999"
        return values

    def _credentials(self):
        sections = []
        for name in PROFILES:
            if self._chance(0.3):
                sections.append(f"[{name}]\n{self._lines(self._keys('CREDENTIALS', name))}")
        self.random.shuffle(sections)
        return "".join(sections)

    def _lines(self, values):
        """The settings as lines, in any order and any layout that means the same."""
        items = list(values.items())
        self.random.shuffle(items)
        indent = self.random.choice(("", "", "", "  "))
        text = ""
        for key, value in items:
            key = self.random.choice((key, key, key.upper()))
            sign = self.random.choice(("=", " = ", " =", ": "))
            if isinstance(value, dict):
                text += f"{indent}{key} =\n"
                for inner, what in value.items():
                    text += f"{indent}    {inner} = {what}\n" + self.random.choice(("", "", f"{indent}    # between\n"))
            elif isinstance(value, list):
                text += f"{indent}{key}{sign}{value[0]}\n" + "".join(f"{indent}  {line}\n" for line in value[1:])
            else:
                text += f"{indent}{key}{sign}{value}\n"
            text += self.random.choice(("", "", "", "\n", f"{indent}# a comment = here\n"))
        return text
