import MailFormat
import Testing

@Test(arguments: [
    (0, "Thu, 01 Jan 1970 00:00:00 +0000"),
    (-1, "Wed, 31 Dec 1969 23:59:59 +0000"),
    (951_782_400, "Tue, 29 Feb 2000 00:00:00 +0000"),
    (951_868_800, "Wed, 01 Mar 2000 00:00:00 +0000"),
    (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 +0000"),
    (1_795_563_691, "Tue, 24 Nov 2026 23:41:31 +0000"),
    (2_147_483_648, "Tue, 19 Jan 2038 03:14:08 +0000"),
    (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 +0000"),
    (-2_208_988_800, "Mon, 01 Jan 1900 00:00:00 +0000"),
])
func `a moment is written as RFC 5322 wants it`(seconds: Int, text: String) {
    #expect(String(decoding: MailDate.rfc5322(seconds: seconds), as: UTF8.self) == text)
}

@Test func `each of 146097 days follows the one before it`() {
    var month = 1
    var day = 0
    var year = 1970
    let names = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    for number in 0..<146_097 {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let length = month == 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
        day += 1
        if day > length { (day, month) = (1, month + 1) }
        if month > 12 { (month, year) = (1, year + 1) }
        let text = String(decoding: MailDate.rfc5322(seconds: number * 86400), as: UTF8.self)
        let wanted = (day < 10 ? "0" : "") + "\(day) \(names[month - 1]) \(year) 00:00:00 +0000"
        guard text.hasSuffix(wanted) else {
            Issue.record("day \(number) is \(text), not \(wanted)")
            return
        }
    }
}
