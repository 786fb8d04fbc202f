import Schedule
import Testing

@Test(
    "the next try is birth + (√age + 10 or 20)², by hand",
    arguments: [
        // age, local, remote; counted from birth
        (0, 100, 400), (1, 121, 441), (3, 121, 441), (4, 144, 484), (99, 361, 841), (100, 400, 900),
        (400, 900, 1600), (3600, 4900, 6400), (86400, 91809, 97969), (604_800, 619_369, 635_209),
    ] as [(Int, Int, Int)])
func curve(age: Int, local: Int, remote: Int) {
    let birth = 1_700_000_000
    #expect(RetryCurve.next(birth: birth, now: birth + age, channel: .local) == birth + local)
    #expect(RetryCurve.next(birth: birth, now: birth + age, channel: .remote) == birth + remote)
}

@Test func `a next try always comes later than now, and not much later than the age`() {
    for age in stride(from: 0, to: 700_000, by: 777) {
        for channel in [Channel.local, .remote] {
            let next = RetryCurve.next(birth: 5_000_000, now: 5_000_000 + age, channel: channel)
            #expect(next > 5_000_000 + age)
            #expect(next <= 5_000_000 + age + 40 * 840 + 400)
        }
    }
}

@Test func `a birth in the future or long ago neither postpones for ever nor traps`() {
    #expect(RetryCurve.next(birth: 2_000_000, now: 1_000_000, channel: .local) == 1_000_100)
    #expect(RetryCurve.next(birth: .max, now: 1_000_000, channel: .remote) == 1_000_400)
    #expect(RetryCurve.next(birth: 0, now: 1 << 42, channel: .local) > 1 << 42)
    #expect(RetryCurve.next(birth: .min, now: 1_000_000, channel: .local) > 1_000_000)
}
