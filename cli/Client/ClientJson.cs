using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ManagedServers.Cli.Client;

/// <summary>Serialisers made at build time: a command that lives for a moment has no time for reflection.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(Identity))]
[JsonSerializable(typeof(TokenRequest))]
[JsonSerializable(typeof(NewToken))]
[JsonSerializable(typeof(Page<TokenView>))]
[JsonSerializable(typeof(Server))]
[JsonSerializable(typeof(Page<Server>))]
[JsonSerializable(typeof(NewServer))]
[JsonSerializable(typeof(ServerChange))]
[JsonSerializable(typeof(ProbeRequest))]
[JsonSerializable(typeof(HostKey))]
[JsonSerializable(typeof(TestResult))]
[JsonSerializable(typeof(Route))]
[JsonSerializable(typeof(Page<Route>))]
[JsonSerializable(typeof(NewRoute))]
[JsonSerializable(typeof(RouteChange))]
[JsonSerializable(typeof(RouteTest))]
[JsonSerializable(typeof(RotateRequest))]
[JsonSerializable(typeof(HostKeyRequest))]
[JsonSerializable(typeof(AskedHostKey))]
[JsonSerializable(typeof(InstallRequest))]
[JsonSerializable(typeof(List<OperatorCommand>))]
[JsonSerializable(typeof(CatalogueCommand))]
[JsonSerializable(typeof(Page<CatalogueCommand>))]
[JsonSerializable(typeof(CommandRequest))]
[JsonSerializable(typeof(ChosenCommands))]
[JsonSerializable(typeof(UnaskedPage))]
[JsonSerializable(typeof(Page<SubnetFigures>))]
[JsonSerializable(typeof(Page<DhcpLease>))]
[JsonSerializable(typeof(SettingsModule))]
[JsonSerializable(typeof(Page<SettingsModule>))]
[JsonSerializable(typeof(ComponentsRequest))]
[JsonSerializable(typeof(ControlRequest))]
[JsonSerializable(typeof(CommandsRequest))]
[JsonSerializable(typeof(RunCommandsRequest))]
[JsonSerializable(typeof(StartedRun))]
[JsonSerializable(typeof(HostEnrolment))]
[JsonSerializable(typeof(EnrolmentRequest))]
[JsonSerializable(typeof(CurrentConfiguration))]
[JsonSerializable(typeof(Configuration))]
[JsonSerializable(typeof(Page<ConfigurationVersion>))]
[JsonSerializable(typeof(ConfigurationDiff))]
[JsonSerializable(typeof(ApplyRequest))]
[JsonSerializable(typeof(RestoreRequest))]
[JsonSerializable(typeof(DriftList))]
[JsonSerializable(typeof(ServerDrift))]
[JsonSerializable(typeof(AcceptDrift))]
[JsonSerializable(typeof(RunPlan))]
[JsonSerializable(typeof(StoredPlan))]
[JsonSerializable(typeof(RunDetails))]
[JsonSerializable(typeof(Page<RunSummary>))]
[JsonSerializable(typeof(LogLine))]
[JsonSerializable(typeof(Page<LogLine>))]
[JsonSerializable(typeof(CancelRequest))]
[JsonSerializable(typeof(ActionRequest))]
[JsonSerializable(typeof(HeartbeatPage))]
[JsonSerializable(typeof(HitPage))]
[JsonSerializable(typeof(RabbitMqSettings))]
[JsonSerializable(typeof(RabbitMqChange))]
[JsonSerializable(typeof(RabbitMqTest))]
[JsonSerializable(typeof(MetricValues))]
[JsonSerializable(typeof(Page<Alert>))]
[JsonSerializable(typeof(Page<ServerHealth>))]
[JsonSerializable(typeof(AlertRule))]
[JsonSerializable(typeof(Page<AlertRule>))]
[JsonSerializable(typeof(AlertRuleChange))]
[JsonSerializable(typeof(AlertPreview))]
[JsonSerializable(typeof(Page<MaintenanceWindow>))]
[JsonSerializable(typeof(NewMaintenance))]
[JsonSerializable(typeof(AlertChannel))]
[JsonSerializable(typeof(Page<AlertChannel>))]
[JsonSerializable(typeof(ChannelChange))]
[JsonSerializable(typeof(ChannelTest))]
internal sealed partial class ClientJson : JsonSerializerContext;

/// <summary>Some cursors are numbers, some are identifiers; here they are only handed back.</summary>
internal sealed class CursorConverter : JsonConverter<string>
{
    public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.TokenType switch
    {
        JsonTokenType.Number => reader.GetInt64().ToString(CultureInfo.InvariantCulture),
        JsonTokenType.String => reader.GetString(),
        _ => throw new JsonException("A text or a number was expected."),
    };

    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteStringValue(value);
}
