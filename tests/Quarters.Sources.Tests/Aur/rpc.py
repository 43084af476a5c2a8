#!/usr/bin/env python3
"""A stand-in for the AUR's RPC, version 5: answers in its recorded shapes from the metadata that a test has written."""
import json, os, sys, urllib.parse

folder = os.environ["AUR_FOLDER"]
parts = urllib.parse.urlsplit(os.environ["REQUEST_URI"])
query = urllib.parse.parse_qs(parts.query)


def answer(document, status="200 OK", *headers):
    sys.stdout.write("\r\n".join([f"Status: {status}", "Content-Type: application/json", *headers, "", ""]))
    sys.stdout.write(json.dumps(document))
    sys.exit()


busy = os.path.join(folder, "busy")
if os.path.exists(busy):
    with open(busy) as file:
        seconds, times = map(int, file.read().split())
    os.remove(busy)
    if times > 1:
        with open(busy, "w") as file:
            file.write(f"{seconds} {times - 1}")
    answer({"version": 5, "type": "error", "resultcount": 0, "results": [], "error": "Rate limit reached"},
           "429 Too Many Requests", f"Retry-After: {seconds}")

with open(os.path.join(folder, "metadata.json")) as file:
    packages = json.load(file)

if parts.path == "/rpc/v5/info":
    names = query.get("arg[]", [])
    if len(parts.path) + len(parts.query) > 4443:
        answer({}, "414 Request-URI Too Long")
    results = [package for package in packages if package["Name"] in names]
    kind = "multiinfo"
elif parts.path.startswith("/rpc/v5/search/") and query.get("by") == ["provides"]:
    wanted = urllib.parse.unquote(parts.path.rsplit("/", 1)[1])
    if len(wanted) < 2:
        answer({"version": 5, "type": "error", "resultcount": 0, "results": [], "error": "Query arg too small."})
    hidden = ("Depends", "MakeDepends", "CheckDepends", "Provides", "License", "Keywords")
    results = [{key: value for key, value in package.items() if key not in hidden} for package in packages
               if wanted == package["Name"] or wanted in [name.split("=")[0] for name in package.get("Provides", [])]]
    kind = "search"
else:
    answer({"version": 5, "type": "error", "resultcount": 0, "results": [],
            "error": "Incorrect request type specified."})
answer({"version": 5, "type": kind, "resultcount": len(results), "results": results})
