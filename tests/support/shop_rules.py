"""Rules of a small shop, with one rule of each kind."""

from __future__ import annotations

RULES = """\
version: 1
rules:
  - id: bang-gia
    keywords: [bảng giá, giá bao nhiêu]
    exclude: [đánh giá]
    cooldown: 10m
    reply: {image_url: "https://quanmoc.example/gia.jpg"}
    examples: [gia bn vay]
    not_examples: [mình muốn đánh giá]
  - id: quan-ao
    keywords: [quần]
    reply: {image_url: "https://quanmoc.example/quan.jpg"}
  - id: tet
    keywords: [quà tết]
    priority: 5
    active: {from: 2027-01-20, until: 2027-02-20, hours: "08:00-21:30"}
    oa: ["388613280878808645"]
    reply:
      one_of:
        - {image_url: "https://quanmoc.example/tet-1.jpg", weight: 2}
        - {image_url: "https://quanmoc.example/tet-2.jpg"}
  - id: si
    enabled: false
    keywords: [bảng giá sỉ]
    reply: {image_url: "https://quanmoc.example/si.jpg"}
  - id: chao-mung
    on: follow
    reply:
      - {image_url: "https://quanmoc.example/chao.jpg"}
      - {image_url: "https://quanmoc.example/menu.jpg"}
fallback:
  reply: {image_url: "https://quanmoc.example/menu.jpg"}
  every: 24h
"""
