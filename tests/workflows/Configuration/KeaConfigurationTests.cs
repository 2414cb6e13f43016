using System.Text.Json;
using System.Text.Json.Nodes;
using ManagedServers.Workflows.Configuration;

namespace ManagedServers.Workflows.Tests.Configuration;

/// <summary>What an operator's document becomes before Kea reads it.</summary>
public sealed class KeaConfigurationTests
{
    [Fact]
    public void The_same_document_gives_the_same_file_and_another_one_another_mark()
    {
        var one = Of("""{"subnet4":[{"subnet":"192.0.2.0/24"}]}""").Render(["eth0"]);
        Assert.Equal(one, Of("""{ "Dhcp4": { "subnet4": [ { "subnet": "192.0.2.0/24" } ] } }""").Render(["eth0"]));
        Assert.NotEqual(one.Mark, Of("""{"subnet4":[{"subnet":"192.0.2.0/25"}]}""").Render(["eth0"]).Mark);
        Assert.Equal(one.Mark, KeaConfiguration.MarkIn(JsonSerializer.Deserialize<JsonElement>(one.Text)));
        Assert.Null(KeaConfiguration.MarkIn(JsonSerializer.Deserialize<JsonElement>("""{"Dhcp4":{"user-context":{}}}""")));
    }

    [Fact]
    public void What_the_operator_says_of_interfaces_and_context_stays_beside_what_the_product_adds()
    {
        var file = JsonNode.Parse(Of("""{"subnet4":[{"subnet":"192.0.2.0/24"}],"interfaces-config":{"interfaces":["eth1"]},"user-context":{"site":"Zürich \"\n"}}""").Render(["eth0"]).Text)!["Dhcp4"]!;
        Assert.Equal("eth1", file["interfaces-config"]!["interfaces"]![0]!.GetValue<string>());
        Assert.Equal("eth0", JsonNode.Parse(Of("""{"subnet4":[{"subnet":"192.0.2.0/24"}]}""").Render(["eth0"]).Text)!["Dhcp4"]!["interfaces-config"]!["interfaces"]![0]!.GetValue<string>());
        Assert.Equal(5000, file["interfaces-config"]!["service-sockets-retry-wait-time"]!.GetValue<int>());
        Assert.Equal("Zürich \"\n", file["user-context"]!["site"]!.GetValue<string>());
        Assert.Equal(KeaConfiguration.ControlSocket, file["control-socket"]!["socket-name"]!.GetValue<string>());
    }

    // Kea: "Unsupported unicode escape" for all beyond \u00ff.
    [Fact]
    public void Characters_that_Kea_cannot_read_as_escapes_are_written_as_they_are()
    {
        var text = Of("""{"subnet4":[{"subnet":"192.0.2.0/24"}],"user-context":{"site":"\ufeff\u200b \ud83c\udf89 \\ufeff \u0001 \u0085"}}""").Render([]).Text;
        Assert.Contains("\"site\": \"\ufeff\u200b \ud83c\udf89 \\\\ufeff \\u0001 \\u0085\"", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Subnets_of_shared_networks_count() =>
        Assert.Equal(["10.0.0.0/8", "192.0.2.0/24"], Of("""{"shared-networks":[{"name":"n","subnet4":[{"subnet":"192.0.2.0/24"}]}],"subnet4":[{"subnet":"10.0.0.0/8"}]}""").Subnets);

    [Theory]
    [InlineData("""{"subnet4":[{"subnet":"192.0.2.0/24"}],"control-socket":{}}""", "dhcp.control-socket")]
    [InlineData("""{"Dhcp4":{"subnet4":[{"subnet":"192.0.2.0/24"}],"lease-database":{"name":"/etc/passwd"}}}""", "dhcp.Dhcp4.lease-database")]
    [InlineData("""{"subnet4":[{"subnet":"192.0.2.0/24"}],"loggers":null}""", "dhcp.loggers")]
    [InlineData("""{"subnet4":[{"subnet":"192.0.2.0/24"}],"config-control":{}}""", "dhcp.config-control")]
    [InlineData("""{"subnet4":[{"subnet":"192.0.2.0/24"}],"user-context":"x"}""", "dhcp.user-context")]
    [InlineData("""{"subnet4":[{"subnet":"192.0.2.0/24"}],"interfaces-config":null}""", "dhcp.interfaces-config")]
    [InlineData("""{"subnet4":{}}""", "dhcp.subnet4")]
    [InlineData("""{"subnet4":[7]}""", "dhcp.subnet4[0]")]
    [InlineData("""{"subnet4":[{"subnet":"2001:db8::/32"}]}""", "dhcp.subnet4[0].subnet")]
    [InlineData("""{"shared-networks":[{"subnet4":[{"subnet":"192.0.2.0/24"},{}]}]}""", "dhcp.shared-networks[0].subnet4[1].subnet")]
    [InlineData("""{"Dhcp4":{"subnet4":[{"subnet":"192.0.2.0/24"}]},"Dhcp6":{}}""", "dhcp")]
    [InlineData("""{"subnet4":[{"subnet":"192.0.2.0/24"}],"subnet4":[]}""", "dhcp")]
    [InlineData("\"<?include \\\"/etc/shadow\\\"?>\"", "dhcp")]
    public void What_the_product_sets_and_what_nobody_can_serve_is_refused_by_its_place(string document, string field) =>
        Assert.Equal([field], Assert.Throws<InvalidInputException>(() => Of(document)).Errors.Keys);

    [Fact]
    public void No_value_can_leave_its_place_in_the_file()
    {
        var random = new Random(20261124);
        for (var n = 0; n < 2_000; n++)
        {
            var value = Garbage(random);
            var document = new JsonObject { ["subnet4"] = new JsonArray(new JsonObject { ["subnet"] = "192.0.2.0/24", ["user-context"] = new JsonObject { [value] = value } }), [$"x{value}"] = value };
            var file = JsonNode.Parse(Of(document.ToJsonString()).Render(["eth0"]).Text)!["Dhcp4"]!.AsObject();
            Assert.Equal(value, file[$"x{value}"]!.GetValue<string>());
            Assert.Equal(value, file["subnet4"]![0]!["user-context"]![value]!.GetValue<string>());
            Assert.Equal(8, file.Count);
        }
    }

    private static string Garbage(Random random)
    {
        string[] parts = ["\"", "\\", "}", "{", "]", ",", ":", "#", "//", "/*", "<?include \"/etc/shadow\"?>", "\n", "\r", "\t", "\u0001", "\u2028", "é", "😀", "$(id)", "`id`", "a", " "];
        return string.Concat(Enumerable.Range(0, random.Next(1, 12)).Select(_ => parts[random.Next(parts.Length)]));
    }

    private static KeaConfiguration Of(string document) => KeaConfiguration.Parse(JsonSerializer.Deserialize<JsonElement>(document));
}
