;; Scores rows by the leaf tables of a tree ensemble: leaf-tables.ts says what they are, tree-scorer.ts where they lie.
;; The masks of eight trees are ANDed at once, those of two columns at a time. `npm run wasm` makes score-trees.wasm of it.
(module
  (import "trees" "memory" (memory 1))

  ;; How many of the sorted thresholds lie below x; one more than there are for NaN.
  (func $slot (param $x f32) (param $thresholds i32) (param $count i32) (result i32)
    (local $low i32) (local $high i32) (local $middle i32)
    (if (f32.ne (local.get $x) (local.get $x))
      (then (return (i32.add (local.get $count) (i32.const 1)))))
    (local.set $high (local.get $count))
    (block $found
      (loop $halve
        (br_if $found (i32.ge_u (local.get $low) (local.get $high)))
        (local.set $middle (i32.shr_u (i32.add (local.get $low) (local.get $high)) (i32.const 1)))
        (if (f32.lt
              (f32.load (i32.add (local.get $thresholds) (i32.shl (local.get $middle) (i32.const 2))))
              (local.get $x))
          (then (local.set $low (i32.add (local.get $middle) (i32.const 1))))
          (else (local.set $high (local.get $middle))))
        (br $halve)))
    (local.get $low))

  ;; The row of masks that a column's value chooses. A column of the plan: its place in the row of features, and where
  ;; its thresholds lie, how many they are, and where its masks begin.
  (func $masksOf (param $column i32) (param $features i32) (param $maskBytes i32) (result i32)
    (i32.add
      (i32.load offset=12 (local.get $column))
      (i32.mul
        (local.get $maskBytes)
        (call $slot
          (f32.load (i32.add (local.get $features) (i32.shl (i32.load (local.get $column)) (i32.const 2))))
          (i32.load offset=4 (local.get $column))
          (i32.load offset=8 (local.get $column))))))

  ;; left &= a & b
  (func $keepBoth (param $left i32) (param $maskBytes i32) (param $a i32) (param $b i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $left) (local.get $maskBytes)))
    (loop $eight
      (v128.store (local.get $left)
        (v128.and (v128.load (local.get $left))
          (v128.and (v128.load (local.get $a)) (v128.load (local.get $b)))))
      (v128.store offset=16 (local.get $left)
        (v128.and (v128.load offset=16 (local.get $left))
          (v128.and (v128.load offset=16 (local.get $a)) (v128.load offset=16 (local.get $b)))))
      (local.set $a (i32.add (local.get $a) (i32.const 32)))
      (local.set $b (i32.add (local.get $b) (i32.const 32)))
      (local.set $left (i32.add (local.get $left) (i32.const 32)))
      (br_if $eight (i32.lt_u (local.get $left) (local.get $end)))))

  ;; One bit of a tree is left: its leaf. A mask without any adds the zero behind the leaves.
  (func $sum (param $left i32) (param $maskBytes i32) (param $leaves i32) (result f32)
    (local $end i32) (local $score f32)
    (local.set $end (i32.add (local.get $left) (local.get $maskBytes)))
    (loop $next
      (local.set $score
        (f32.add (local.get $score)
          (f32.load
            (i32.add (local.get $leaves) (i32.shl (i32.clz (i32.load (local.get $left))) (i32.const 2))))))
      (local.set $leaves (i32.add (local.get $leaves) (i32.const 132)))
      (local.set $left (i32.add (local.get $left) (i32.const 4)))
      (br_if $next (i32.lt_u (local.get $left) (local.get $end))))
    (local.get $score))

  (func (export "score")
    (param $rows i32) (param $features i32) (param $featureBytes i32)
    (param $plan i32) (param $planEnd i32)
    (param $left i32) (param $maskBytes i32) (param $leaves i32)
    (param $base f32) (param $scores i32)
    (local $column i32) (local $a i32) (local $b i32)
    (block $done
      (loop $row
        (br_if $done (i32.eqz (local.get $rows)))
        (memory.fill (local.get $left) (i32.const 255) (local.get $maskBytes))
        (local.set $column (local.get $plan))
        (loop $pair
          (local.set $a (call $masksOf (local.get $column) (local.get $features) (local.get $maskBytes)))
          (local.set $b (call $masksOf
            (i32.add (local.get $column) (i32.const 16)) (local.get $features) (local.get $maskBytes)))
          (call $keepBoth (local.get $left) (local.get $maskBytes) (local.get $a) (local.get $b))
          (local.set $column (i32.add (local.get $column) (i32.const 32)))
          (br_if $pair (i32.lt_u (local.get $column) (local.get $planEnd))))
        (f32.store (local.get $scores)
          (f32.add
            (call $sum (local.get $left) (local.get $maskBytes) (local.get $leaves))
            (local.get $base)))
        (local.set $features (i32.add (local.get $features) (local.get $featureBytes)))
        (local.set $scores (i32.add (local.get $scores) (i32.const 4)))
        (local.set $rows (i32.sub (local.get $rows) (i32.const 1)))
        (br $row)))))
