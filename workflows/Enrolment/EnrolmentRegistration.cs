using Microsoft.Extensions.DependencyInjection;

namespace ManagedServers.Workflows.Enrolment;

public static class EnrolmentRegistration
{
    public static IServiceCollection AddEnrolment(this IServiceCollection services) => services
        .AddSingleton<EnrolmentTokens>()
        .AddSingleton<EnrolmentLine>()
        .AddSingleton<HostEnrolments>()
        .AddSingleton<HostOrders>()
        .AddSingleton<ManualPlan>()
        .AddSingleton<OrderDocument>();
}
