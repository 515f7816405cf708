#!/usr/bin/env python3
"""Verify a veripatch proof bundle without veripatch: Python's standard library, and openssl for Ed25519.

Written from docs/formats.md ("Attestation") alone, to show that the page is enough.

    python3 verify_bundle.py BUNDLE --key ci.pub.pem [--key other.pub.pem --threshold 2]
    python3 verify_bundle.py BUNDLE --hmac-key secret.file
    python3 verify_bundle.py BUNDLE --key ci.pub.pem --max-age 86400 --nonce "ticket 7"

BUNDLE is the folder proof_bundle, or its session's; of a .ppb, tar makes it: tar xf proof.ppb.

Exit 0: valid. Exit 2: invalid, with the reason. Exit 64: wrong usage. Exit 65: a malformed key. It does not run anything from the bundle; `pp replay` does.
"""

import argparse
import base64
import binascii
import datetime
import hashlib
import hmac
import json
import os
import re
import stat
import subprocess
import sys
import tempfile

PAYLOAD_TYPE = "application/vnd.in-toto+json"
PROOF = "https://veripatch.dev/proof/v1"
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
ENVELOPE = "attestation.json"
TEST_ENVELOPE = "test_result.attestation.json"
NAME = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*(/[a-z0-9_]+(\.[a-z0-9_]+)*){0,3}", re.ASCII)
SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
SPKI_PREFIX = bytes.fromhex("302a300506032b6570032100")
MAX_ENVELOPE = 23 << 20
MAX_DOCUMENT = 16 << 20
SKEW = datetime.timedelta(minutes=5)


class Invalid(Exception):
    """The answer is no; the text says why."""


def require(condition, why):
    if not condition:
        raise Invalid(why)


# --- strict reading -------------------------------------------------------------------------------------------------


def strict_json(data, what):
    def once(pairs):
        members = dict(pairs)
        require(len(members) == len(pairs), f"{what}: a key comes twice")
        return members

    def refuse(text):
        raise Invalid(f"{what}: {text} is no JSON number")

    try:
        text = data.decode("utf-8")
        require(not text.startswith("\ufeff"), f"{what}: a byte order mark")
        return json.loads(text, object_pairs_hook=once, parse_constant=refuse)
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise Invalid(f"{what}: {error}") from None


def exactly(value, members, what):
    require(isinstance(value, dict) and set(value) == set(members), f"{what}: other members than expected")


def strict_base64(text, what):
    require(isinstance(text, str), f"{what}: no text")
    standard = text
    if "+" not in text and "/" not in text:
        standard = text.replace("-", "+").replace("_", "/")
    try:
        data = base64.b64decode(standard, validate=True)
    except (binascii.Error, ValueError):
        raise Invalid(f"{what}: no base64") from None
    require(base64.b64encode(data).decode() == standard, f"{what}: base64 in another spelling than the one")
    return data


# --- the signature --------------------------------------------------------------------------------------------------


def pre_auth_encoding(payload_type, payload):
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


class Ed25519:
    def __init__(self, path):
        with open(path, encoding="ascii") as file:
            text = file.read()
        body = re.fullmatch(r"\s*-----BEGIN PUBLIC KEY-----\s([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----\s*", text)
        der = base64.b64decode("".join(body.group(1).split())) if body else b""
        if len(der) != 44 or not der.startswith(SPKI_PREFIX):
            raise ValueError(f"{path}: no Ed25519 public key in PEM")
        self.path = path
        self.id = hashlib.sha256(der).hexdigest()

    def fits(self, sig, message):
        if len(sig) != 64:
            return False
        with tempfile.TemporaryDirectory() as folder:
            paths = [os.path.join(folder, name) for name in ("message", "sig")]
            for path, data in zip(paths, (message, sig)):
                with open(path, "wb") as file:
                    file.write(data)
            command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", self.path, "-rawin"]
            done = subprocess.run(
                [*command, "-in", paths[0], "-sigfile", paths[1]],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
            )
            return done.returncode == 0


class Hmac:
    id = "hmac-sha256"

    def __init__(self, path):
        with open(path, "rb") as file:
            secret = file.read()
        if secret.endswith(b"\n"):
            secret = secret[:-2] if secret.endswith(b"\r\n") else secret[:-1]
        if len(secret) < 32 or b"-----BEGIN" in secret or secret.startswith((b"ssh-", b"untrusted comment:")):
            raise ValueError(f"{path}: no HMAC secret of at least 32 bytes")
        self.secret = secret

    def fits(self, sig, message):
        return hmac.compare_digest(sig, hmac.new(self.secret, message, hashlib.sha256).digest())


def read_envelope(data):
    """The payload of an envelope and its signatures as (keyid, sig); nobody has verified them yet."""
    require(len(data) <= MAX_ENVELOPE, "envelope: too large")
    envelope = strict_json(data, "envelope")
    exactly(envelope, ["payload", "payloadType", "signatures"], "envelope")
    require(envelope["payloadType"] == PAYLOAD_TYPE, "envelope: another payloadType")
    payload = strict_base64(envelope["payload"], "payload")
    require(payload, "envelope: nothing is signed")
    entries = envelope["signatures"]
    require(isinstance(entries, list) and 1 <= len(entries) <= 64, "envelope: no signatures, or too many")
    signatures = []
    for entry in entries:
        require(isinstance(entry, dict) and set(entry) in ({"sig"}, {"sig", "keyid"}), "envelope: odd signature")
        sig, keyid = strict_base64(entry["sig"], "sig"), entry.get("keyid", "")
        require(sig and isinstance(keyid, str), "envelope: odd signature")
        signatures.append((keyid, sig))
    return payload, signatures


def verified_payload(data, keys, threshold):
    """The payload of an envelope that enough of the keys signed. The key says which algorithm it is."""
    payload, signatures = read_envelope(data)
    message = pre_auth_encoding(PAYLOAD_TYPE, payload)
    signed = set()
    for keyid, sig in signatures:
        for key in keys:
            fits = key.fits(sig, message)
            # A signature that is by another key than it names spoils the whole; HMAC's name is the same for all.
            if keyid != "" and keyid != key.id:
                require(not fits, "signature: under the name of another key")
            elif fits:
                signed.add(key)
            else:
                require(keyid == "" or isinstance(key, Hmac), "signature: names a trusted key and is not by it")
    require(len(signed) >= threshold, f"signature: {len(signed)} of {threshold} needed trusted keys signed")
    return payload


# --- the files ------------------------------------------------------------------------------------------------------


def inventory(root):
    """Digest and size of every file, of the handle it is read from. Links and special files are refused."""
    files = {}

    def walk(prefix):
        with os.scandir(os.path.join(root, prefix)) as entries:
            names = sorted(entry.name for entry in entries)
        require(names or prefix == "", f"{prefix}: an empty folder")
        for name in names:
            path = f"{prefix}/{name}" if prefix else name
            mode = os.lstat(os.path.join(root, path)).st_mode
            require(NAME.fullmatch(path), f"{path!r}: no name that a bundle has")
            if stat.S_ISDIR(mode):
                walk(path)
                continue
            require(stat.S_ISREG(mode), f"{path}: a link or a special file")
            handle = os.open(os.path.join(root, path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(handle, "rb") as file:
                require(stat.S_ISREG(os.fstat(handle).st_mode), f"{path}: a special file")
                digest, size = hashlib.sha256(), 0
                kept = [] if path.endswith(".json") else None
                while chunk := file.read(1 << 20):
                    digest.update(chunk)
                    size += len(chunk)
                    if kept is not None and size <= MAX_ENVELOPE:
                        kept.append(chunk)
                files[path] = {"sha256": digest.hexdigest(), "size": size, "bytes": b"".join(kept or [])}

    walk("")
    return files


def check_integrity(files, listed):
    names = [entry["name"] for entry in listed]
    require(names == sorted(set(names), key=str.encode), "statement: files out of order, or one twice")
    for entry in listed:
        name = entry["name"]
        require(NAME.fullmatch(name) and name != ENVELOPE, f"statement: lists {name!r}")
        require(name in files, f"{name}: signed for and missing")
        found = files[name]
        require(found["sha256"] == entry["sha256"] and found["size"] == entry["size"], f"{name}: changed")
    extra = set(files) - set(names) - {ENVELOPE}
    require(not extra, f"{', '.join(sorted(extra))}: not signed for")


# --- what is stated -------------------------------------------------------------------------------------------------

CLAIMS = [
    "tool", "session", "started_at", "finished_at", "status", "base", "result", "targets", "sandbox",
    "policy_digest", "before", "after", "minimization", "findings",
]


def read_statement(payload, predicate_type):
    statement = strict_json(payload, "statement")
    exactly(statement, ["_type", "subject", "predicateType", "predicate"], "statement")
    require(statement["_type"] == "https://in-toto.io/Statement/v1", "statement: another _type")
    require(statement["predicateType"] == predicate_type, "statement: another predicateType")
    subjects = statement["subject"]
    require(isinstance(subjects, list) and len(subjects) == 2, "subject: not exactly two")
    for subject, name in zip(subjects, ("final.patch", "patched_tree")):
        exactly(subject, ["name", "digest"], "subject")
        require(subject["name"] == name, f"subject: not {name}")
        exactly(subject["digest"], ["sha256"], "subject digest")
        require(SHA256.fullmatch(str(subject["digest"]["sha256"])), "subject: no SHA-256")
    return [subject["digest"]["sha256"] for subject in subjects], statement["predicate"]


def read_proof(payload):
    subjects, predicate = read_statement(payload, PROOF)
    exactly(predicate, ["format", "issued_at", "nonce", "files", *CLAIMS], "predicate")
    require(predicate["format"] == "veripatch-proof/v1", "predicate: another format")
    require(predicate["status"] == "proved", "predicate: no proof")
    require(isinstance(predicate["targets"], list) and predicate["targets"], "predicate: no target")
    issued_at(predicate)
    for side in ("before", "after"):
        exactly(predicate[side], ["outcome", "runs", "passed"], side)
    before, after = predicate["before"], predicate["after"]
    require(before["runs"] > 0 and before["passed"] == 0 and before["outcome"] != "passed", "the base is not red")
    require(after["runs"] == after["passed"] > 0 and after["outcome"] == "passed", "the patched tree is not green")
    require(isinstance(predicate["files"], list) and predicate["files"], "predicate: no files")
    for entry in predicate["files"]:
        exactly(entry, ["name", "size", "sha256"], "file")
        require(isinstance(entry["name"], str), "file: no name")
    return subjects, predicate


def issued_at(predicate):
    text = predicate["issued_at"]
    require(isinstance(text, str), "issued_at: no time")
    require(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z", text, re.ASCII), "issued_at: no time")
    try:
        return datetime.datetime.strptime(text.split(".")[0].rstrip("Z"), "%Y-%m-%dT%H:%M:%S").replace(
            tzinfo=datetime.timezone.utc
        )
    except ValueError:
        raise Invalid("issued_at: no time") from None


def drawn_claims(files):
    """The claims, drawn from the bundle's own documents."""

    def document(name):
        require(name in files, f"{name}: missing")
        require(files[name]["size"] <= MAX_DOCUMENT, f"{name}: too large")
        return strict_json(files[name]["bytes"], name)

    def side(name):
        verify = document(name)
        passed = [run for run in verify["runs"] if run["outcome"] == "passed"]
        require(verify["passed"] == len(passed), f"{name}: its runs do not add up")
        return {"outcome": verify["outcome"], "runs": len(verify["runs"]), "passed": verify["passed"]}

    repro, environment = document("repro.json"), document("environment.json")
    require(document("policy.json")["digest"] == repro["policy_hash"], "policy.json: another policy")
    require(files["final.patch"]["sha256"] == repro["final_patch_sha256"], "final.patch: another patch")
    tree_files = {"workspace_manifest.json": "workspace_manifest_sha256", "workspace.tar": "workspace_tar_sha256"}
    for name, member in tree_files.items():
        require(files.get(name, {}).get("sha256") == repro.get(member), f"{name}: not of repro.json")
    require(repro["status"] == "proved" and repro["success"] is True, "repro.json: no proof")
    require(environment["backend"] == repro["sandbox_backend"], "environment.json: another sandbox")
    image = environment["image"]
    named = [None, None] if image is None else [image["name"], image["id"]]
    require(named == [repro["container_image"], repro["container_image_id"]], "environment.json: another image")
    clean = repro["git_dirty"] is False
    minimization = None
    if "minimization.json" in files:
        record = document("minimization.json")
        ranges = [part.split("-") for part in record["kept"].split(",") if part]
        atoms, kept = len(record["atoms"]), sum(int(part[-1]) - int(part[0]) + 1 for part in ranges)
        minimization = {
            "used": record["used"],
            "one_minimal": record["used"] and record["end"] == "one_minimal",
            "atoms_before": atoms,
            "atoms_after": kept if record["used"] else atoms,
            "record_sha256": files["minimization.json"]["sha256"],
        }
    return {
        "tool": repro["tool"],
        "session": repro["session"],
        "started_at": repro["started_at"],
        "finished_at": repro["finished_at"],
        "status": repro["status"],
        "base": {
            "tree": repro["base_tree"],
            "git_commit": repro["git_commit"] if clean else None,
            "git_tree": repro["git_tree"] if clean else None,
        },
        "result": {"tree": repro["result_tree"]},
        "targets": [
            {name: target[name] for name in ("name", "command", "argv", "shell")} for target in repro["proof_targets"]
        ],
        "sandbox": {
            "backend": repro["sandbox_backend"],
            "image": None if image is None else {"name": image["name"], "id": image["id"]},
            "network": repro["network_policy"],
        },
        "policy_digest": repro["policy_hash"],
        "before": side("attempts/0_baseline/verify.json"),
        "after": side("confirmation/verify.json"),
        "minimization": minimization,
        "findings": [{"code": finding["code"], "path": finding["path"]} for finding in repro["findings"]],
    }


def check_subject(files, subjects, predicate):
    claims = drawn_claims(files)
    require(subjects[0] == files["final.patch"]["sha256"], "subject: another patch")
    require(subjects[1] == claims["result"]["tree"], "subject: another tree")
    for name in CLAIMS:
        require(predicate[name] == claims[name], f"the statement says another {name} than the bundle")
    # The standard statement beside it is pinned by the list of files; it must be about the same.
    others, result = read_statement(read_envelope(files[TEST_ENVELOPE]["bytes"])[0], TEST_RESULT)
    same = {
        "result": "PASSED",
        "configuration": [{"name": "policy.json", "digest": {"sha256": files["policy.json"]["sha256"]}}],
        "passedTests": [target["name"] for target in claims["targets"]],
        "failedTests": [],
    }
    require(others == subjects and result == same, f"{TEST_ENVELOPE}: about something else")


def check_freshness(predicate, max_age, nonce):
    now, issued = datetime.datetime.now(datetime.timezone.utc), issued_at(predicate)
    require(issued <= now + SKEW, "issued in the future")
    require(max_age is None or now - issued <= datetime.timedelta(seconds=max_age), "too old")
    require(nonce is None or predicate["nonce"] == nonce, "another nonce")


def bundle_folder(path):
    """A session's folder stands for the bundle in it; what looks like a bundle itself is one."""
    own = ("repro.json", "final.patch", "attestation.json", "final_summary.md")
    inside = os.path.join(path, "proof_bundle")
    if not os.path.isdir(inside) or any(os.path.lexists(os.path.join(path, name)) for name in own):
        return path
    return inside


class Parser(argparse.ArgumentParser):
    """Wrong usage is 64, as everywhere; argparse's own 2 would say that a bundle is invalid."""

    def error(self, message):
        self.print_usage(sys.stderr)
        self.exit(64, f"{self.prog}: error: {message}\n")


def verify(root, keys, threshold, max_age, nonce):
    files = inventory(root)
    require(ENVELOPE in files, "unsigned")
    subjects, predicate = read_proof(verified_payload(files[ENVELOPE]["bytes"], keys, threshold))
    check_integrity(files, predicate["files"])
    check_subject(files, subjects, predicate)
    check_freshness(predicate, max_age, nonce)
    return predicate


def main():
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle")
    parser.add_argument("--key", action="append", default=[], help="Ed25519 public key, PEM")
    parser.add_argument("--hmac-key", action="append", default=[], help="file with a shared secret")
    parser.add_argument("--threshold", type=int, default=1)
    parser.add_argument("--max-age", type=int, help="seconds")
    parser.add_argument("--nonce")
    args = parser.parse_args()
    try:
        keys = list({key.id: key for key in map(Ed25519, args.key)}.values()) + list(map(Hmac, args.hmac_key))
    except OSError as error:
        parser.error(f"{ascii(error.filename)}: {error.strerror}")
    except ValueError as why:
        print(ascii(str(why))[1:-1], file=sys.stderr)
        return 65
    if not keys or args.threshold < 1:
        parser.error("give at least one key, and a threshold of at least 1")
    try:
        predicate = verify(bundle_folder(args.bundle), keys, args.threshold, args.max_age, args.nonce)
    except Invalid as why:
        print(f"invalid: {ascii(str(why))[1:-1]}")
        return 2
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        print(f"invalid: malformed ({type(error).__name__})")
        return 2
    except NotADirectoryError:
        print("invalid: no folder proof_bundle (tar xf makes it of a .ppb)")
        return 2
    except OSError as error:
        print(f"invalid: cannot be read ({ascii(error.strerror)})")
        return 2
    commands = ", ".join(target["command"] for target in predicate["targets"])
    print(f"valid: session {predicate['session']} turned green: {ascii(commands)[1:-1]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
