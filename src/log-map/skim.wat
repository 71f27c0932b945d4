;; Takes in the puts of new keys with which a bucket begins: most of what a process reads that makes one get or set, before
;; V8 has compiled any JavaScript for it. The build adds it to the binary of xxhash-wasm (`scripts/wasm.mjs`), in whose memory
;; it works; `skim.ts` calls it.

;; How many frames the last call took.
(global $skimmed (export "skimmed") (mut i32) (i32.const 0))

;; Returns the address of the first frame that it does not take: one that is not whole before `end`, one that is no put and no
;; putIf that expects no record, one whose hash the table has already, or one for which it has no room. `origin` is the address
;; of offset 0. The table is that of `Slots`: `mask` + 1 entries, a power of two, each hash u32 and offset + 1 u32. More than
;; `room` may be free; some must be, or the search for one does not end.
(func (export "skim")
  (param $at i32) (param $end i32) (param $origin i32) (param $seed i32)
  (param $table i32) (param $mask i32) (param $room i32)
  (result i32)
  (local $payload i32) (local $length i32) (local $next i32) (local $hash i32) (local $slot i32) (local $entry i32)

  (global.set $skimmed (i32.const 0))
  (loop $frames
    (local.set $payload (i32.add (local.get $at) (i32.const 12)))
    (if (i32.gt_u (local.get $payload) (local.get $end)) (then (return (local.get $at))))
    (local.set $length (i32.load offset=8 (local.get $at)))
    (if (i32.gt_u (local.get $length) (i32.sub (local.get $end) (local.get $payload))) (then (return (local.get $at))))
    (local.set $next (i32.add (local.get $payload) (local.get $length)))

    ;; Magic, type and zero as one number: putIf, whose record comes after what it expects and a nonce, or put.
    (if (i32.eq (i32.load offset=4 (local.get $at)) (i32.const 0x0004c357))
      (then
        (if (i32.load (local.get $payload)) (then (return (local.get $at))))
        (local.set $payload (i32.add (local.get $payload) (i32.const 8))))
      (else
        (if (i32.ne (i32.load offset=4 (local.get $at)) (i32.const 0x0002c357)) (then (return (local.get $at))))))

    ;; Place u32, slot u32, and the length of the key u16, which must lie in the frame.
    (if (i32.gt_u
          (i32.add (i32.add (local.get $payload) (i32.const 10)) (i32.load16_u offset=8 (local.get $payload)))
          (local.get $next))
      (then (return (local.get $at))))

    (if (i32.ne
          (call $xxh32
            (i32.add (local.get $at) (i32.const 4))
            (i32.sub (i32.sub (local.get $next) (local.get $at)) (i32.const 4))
            (local.get $seed))
          (i32.load (local.get $at)))
      (then (return (local.get $at))))

    (local.set $hash (i32.load offset=4 (local.get $payload)))
    (local.set $slot (local.get $hash))
    (loop $probe
      (local.set $entry
        (i32.add (local.get $table) (i32.shl (i32.and (local.get $slot) (local.get $mask)) (i32.const 3))))
      (if (i32.load offset=4 (local.get $entry))
        (then
          (if (i32.eq (i32.load (local.get $entry)) (local.get $hash)) (then (return (local.get $at))))
          (local.set $slot (i32.add (local.get $slot) (i32.const 1)))
          (br $probe))))
    (if (i32.eqz (local.get $room)) (then (return (local.get $at))))
    (i32.store (local.get $entry) (local.get $hash))
    (i32.store offset=4 (local.get $entry) (i32.add (i32.sub (local.get $at) (local.get $origin)) (i32.const 1)))
    (local.set $room (i32.sub (local.get $room) (i32.const 1)))
    (global.set $skimmed (i32.add (global.get $skimmed) (i32.const 1)))
    (local.set $at (local.get $next))
    (br $frames))
  (unreachable))
