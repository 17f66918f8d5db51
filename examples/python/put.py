#!/usr/bin/env python3
"""Puts a topology, shows the plan, carries it out, and prints what happens: a client of the controller in Python.

    put.py [--context NAME] [--yes] FILE...

It needs nothing but Python's own library: it speaks REST. It finds the controller as loom does: by a context of $LOOM_CONTEXTS,
or of loom/contexts.json in your directory for settings.
"""

import argparse
import base64
import json
import os
import pathlib
import ssl
import sys
import urllib.error
import urllib.request


class Controller:
    """The controller of a context, over HTTPS: both sides show a certificate."""

    def __init__(self, name):
        settings = os.environ.get("XDG_CONFIG_HOME") or pathlib.Path.home() / ".config"
        file = pathlib.Path(os.environ.get("LOOM_CONTEXTS") or pathlib.Path(settings) / "loom" / "contexts.json")
        known = json.loads(file.read_text())
        name = name or known.get("current")
        found = [c for c in known["contexts"] if c["name"] == name and c.get("rest")]
        if not found:
            sys.exit(f"put: {file}: no context {name!r} that says where REST is spoken")
        self.url = "https://" + found[0]["rest"]
        self.tls = ssl.create_default_context(cafile=found[0]["ca"])
        self.tls.minimum_version = ssl.TLSVersion.TLSv1_3
        self.tls.load_cert_chain(found[0]["cert"], found[0]["key"])

    def open(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            return urllib.request.urlopen(request, context=self.tls)
        except urllib.error.HTTPError as e:
            raise Refused(json.load(e)) from None

    def call(self, method, path, body=None):
        """The answer of a call."""
        with self.open(method, path, body) as answer:
            return json.load(answer)

    def stream(self, method, path, body=None):
        """The answers of a call that has many, each as it comes."""
        with self.open(method, path, body) as lines:
            for line in lines:
                message = json.loads(line)
                if "error" in message:
                    raise Refused(message["error"])
                yield message["result"]


class Refused(Exception):
    """What the controller says no to, with the places of what is wrong."""

    def __init__(self, status):
        lines = [status["message"]]
        for d in status.get("details", []):
            if d["@type"].endswith("/loom.v1.Mistake"):
                lines.append(f"  {d['at']}: {d['message']}; {d['fix']}")
        super().__init__("\n".join(lines))


def main():
    args = argparse.ArgumentParser(description="Puts a topology, and carries it out.")
    args.add_argument("--context", help="name of the controller's context (default: the current one)")
    args.add_argument("--yes", action="store_true", help="carry the plan out")
    args.add_argument("files", nargs="+", help="files of one topology")
    args = args.parse_args()
    loom = Controller(args.context)

    files = [{"name": f, "data": base64.b64encode(pathlib.Path(f).read_bytes()).decode()} for f in args.files]
    revision = loom.call("POST", "/v1/topologies:put", {"files": files, "message": "put by an example"})["revision"]
    topology = revision["topology"]
    print(f"{topology}: revision {revision['number']} by {revision['by']}")

    plan = loom.call("POST", f"/v1/topologies/{topology}/plans", {})["plan"]
    print(plan["text"], end="")
    for risk in plan["risks"]:
        if not risk["approved"]:
            sys.exit(f"put: plan {plan['id']}: {risk['class']}: {risk['message']}; somebody has to approve it")
    if not plan["hash"] or not args.yes:
        return

    events = loom.stream("GET", f"/v1/events:watch?topology={topology}")
    next(events)  # says from where the watch goes
    transaction = result = None
    for step in loom.stream("POST", f"/v1/plans/{plan['id']}:apply", {"hash": plan["hash"]}):
        transaction = step["transaction"] or transaction
        event, result = step.get("event") or {}, step.get("result")
        if event.get("device"):
            print(f"wave {event['wave']}: {event['device']}: {event['status']} {event['error']}")
    print(f"{transaction}: {result['outcome']} {result['error']}")
    for step in events:
        event = step["event"]
        print(event["at"], event["kind"], event["device"], event["message"])
        if event["kind"] == "transaction" and event["subject"] == transaction:
            break
    if result["outcome"] not in ("done", "unchanged"):
        sys.exit(1)


if __name__ == "__main__":
    try:
        main()
    except Refused as e:
        sys.exit(f"put: {e}")
